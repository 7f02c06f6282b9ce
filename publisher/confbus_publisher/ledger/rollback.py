"""How far back a rollback by steps goes. Pure: from the state of the head and the releases that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import NoRelease

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from confbus.wire.release import Release
    from confbus_publisher.ledger.draft import State


def target(state: State, releases: Iterable[Release], *, steps: int = 1) -> Release:
    """The release that is `steps` accepted contents before the one that the head has.

    The walk begins where that content was published first (`of`) and goes along `parent`. It passes over contents met
    before, and over releases with a quarantined section: a rollback after a rollback goes further back, never forth.
    Raises `NoRelease` when it comes to the end before that.
    """
    kept = {release.version: release for release in releases}
    passed = {state.release.digest}
    for release in _ancestors(_first(state.release, kept), kept):
        if release.digest in passed or _is_held(release, state.quarantine):
            continue
        passed.add(release.digest)
        if len(passed) > steps:
            return release
    raise NoRelease(_too_far(len(passed) - 1))


def _first(release: Release, kept: Mapping[int, Release]) -> Release:
    """Where the content of `release` was published first, unless that is gone, or its number is another's by now."""
    first = kept.get(release.of)
    return first if first and first.digest == release.digest else release


def _ancestors(release: Release, kept: Mapping[int, Release]) -> Iterator[Release]:
    parent = kept.get(release.parent)
    while parent is not None and parent.version < release.version:
        yield parent
        release, parent = parent, kept.get(parent.parent)


def _is_held(release: Release, quarantine: Collection[str]) -> bool:
    return any(f"{section} {digest}" in quarantine for section, digest in release.manifest.sections.items())


def _too_far(found: int) -> str:
    if not found:
        return "There is no earlier accepted release"
    return f"Only {found} earlier accepted release{'s are' if found > 1 else ' is'} kept"
