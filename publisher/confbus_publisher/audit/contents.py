"""What an entry of the log changed, as far as the releases before and after it are still kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confbus.errors import Malformed, NoRelease
from confbus.wire.diff import Change, diff
from confbus.wire.manifest import EMPTY, Manifest
from confbus.wire.sections import is_sealed, join, path_of
from confbus_publisher.ledger import archive
from confbus_publisher.ledger.summary import Sections, Summary, summary

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from confbus.wire.frozen import Frozen
    from confbus.wire.path import Path
    from confbus.wire.release import Release
    from confbus_publisher.ledger import LogEntry, Store


@dataclass(frozen=True, slots=True)
class Step:
    """How one content became the next: in a line, each changed leaf, and the places of what changed and is sealed."""

    summary: Summary
    leaves: tuple[Change, ...] = field(repr=False)
    sealed: tuple[Path, ...]

    @classmethod
    def between(cls, before: Manifest, changes: Mapping[str, str | None], blobs: Mapping[str, bytes]) -> Step:
        """From the manifest `before` by `changes` (section to digest, None: gone), whose bytes are all in `blobs`.

        Raises `Malformed` for what is no configuration.
        """
        old = {name: before.sections[name] for name in changes if name in before.sections}
        new = {name: digest for name, digest in changes.items() if digest}
        both = (*old.items(), *new.items())
        # What was sealed once, or is sealed now, is shown of neither side.
        sealed = {path_of(name)[:1] for name, digest in both if is_sealed(blobs[digest])}
        leaves = diff(_document(old, blobs, without=sealed), _document(new, blobs, without=sealed))
        text = summary(changes, Sections(before, blobs), blobs)
        return cls(text, tuple(leaves), tuple(sorted(sealed)))


class Contents:
    """The kept releases of one namespace. Not thread-safe; releases are read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, Release | None] = {}

    def step(self, entry: LogEntry) -> Step | None:
        """What the entry changed; None when it changed no head, or not both releases are kept with their blobs."""
        fields = entry.fields
        version, base = _number(fields.get("version")), _number(fields.get("from"))
        if version is None or base is None:
            return None
        after, before = self._manifest(version, fields.get("digest")), self._manifest(base, fields.get("from_digest"))
        if after is None or before is None:
            return None
        changes = before.changes_to(after)
        wanted = {each for name, digest in changes.items() for each in (before.sections.get(name), digest) if each}
        blobs = self._store.blobs(wanted)
        try:
            return Step.between(before, changes, blobs) if blobs.keys() >= wanted else None
        except Malformed:
            return None

    def _manifest(self, version: int, digest: str | None) -> Manifest | None:
        """The content of a version; a number may have come again after a loss, so the digest decides."""
        if version == 0:
            return EMPTY
        if version not in self._known:
            try:
                self._known[version] = archive.release(self._store, version)
            except NoRelease:
                self._known[version] = None
        release = self._known[version]
        return release.manifest if release and release.digest == digest else None


def _document(sections: Mapping[str, str], blobs: Mapping[str, bytes], *, without: Collection[Path]) -> Frozen:
    shown = {name: digest for name, digest in sections.items() if path_of(name)[:1] not in without}
    return join({digest: blobs[digest] for digest in shown.values()}, Manifest(shown)).document


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None
