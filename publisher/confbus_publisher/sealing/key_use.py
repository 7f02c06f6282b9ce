"""Which keys the kept releases need, by the bytes that are stored: for that no key is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import Malformed
from confbus.wire.sealed import is_sealed, parse

if TYPE_CHECKING:
    from confbus_publisher.ledger import Ledger, Store

_PAGE = 64


def needed_keys(ledger: Ledger) -> dict[str, list[int]]:
    """The ids of the keys with which sections of kept releases are sealed, each with the versions, newest first.

    Reads every kept blob once. Raises `Unreachable`.
    """
    releases = ledger.history()
    keys = _keys(ledger.store, {digest for release in releases for digest in release.manifest.sections.values()})
    needed: dict[str, list[int]] = {}
    for release in releases:
        for key in sorted({keys[digest] for digest in release.manifest.sections.values() if digest in keys}):
            needed.setdefault(key, []).append(release.version)
    return needed


def _keys(store: Store, digests: set[str]) -> dict[str, str]:
    """The id of the key of each sealed blob."""
    found: dict[str, str] = {}
    waiting = sorted(digests)
    for start in range(0, len(waiting), _PAGE):
        for digest, blob in store.blobs(waiting[start : start + _PAGE]).items():
            try:
                if is_sealed(blob):
                    found[digest] = parse(blob, what=digest).key
            except Malformed:
                continue
    return found
