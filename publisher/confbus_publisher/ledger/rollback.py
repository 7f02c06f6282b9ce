"""How far back a rollback by steps goes, and what it holds. Pure: from the state of the head and what is kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confbus.errors import NoRelease

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from confbus.wire.release import Release
    from confbus_publisher.ledger.draft import State, Why


def target(state: State, releases: Iterable[Release], *, steps: int = 1) -> Release:
    """The release that is `steps` accepted contents before the one that the head has.

    The walk begins where that content was published first (`of`) and goes along `parent`. It passes over contents met
    before, and over releases with a quarantined section: a rollback after a rollback goes further back, never forth.
    Raises `NoRelease` when it comes to the end before that.
    """
    kept = {release.version: release for release in releases}
    passed, held = {state.release.content}, set[str]()
    for release in _ancestors(_first(state.release, kept), kept):
        if _is_held(release, state.quarantine):
            held.add(release.content)
        if release.content in passed or release.content in held:
            continue
        passed.add(release.content)
        if len(passed) > steps:
            return release
    raise NoRelease(_too_far(len(passed) - 1))


def verdicts(state: State, release: Release, *, of: Release, why: Why) -> tuple[dict[str, str], list[str]]:
    """What goes into quarantine when `release` takes the place of the head, each with the reason, and what comes out.

    `of` is the release whose content that is, perhaps under another key: what only changed its key is not held.
    """
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(release.at_ms / 1000))
    reason = f"rolled back by {why.author} at {at}" + (f": {why.message}" if why.message else "")
    restored, as_it_was = pairs_of(release), pairs_of(of)
    left = [pair for pair in pairs_of(state.release) if pair not in restored and pair not in as_it_was]
    return dict.fromkeys(left, reason), [pair for pair in restored if pair in state.quarantine]


def pairs_of(release: Release) -> dict[str, None]:
    """The content of each section, as it stands in quarantine."""
    return {f"{section} {digest}": None for section, digest in release.manifest.sections.items()}


def _first(release: Release, kept: Mapping[int, Release]) -> Release:
    """Where the content of `release` was published first, unless that is gone, or its number is another's by now."""
    first = kept.get(release.of)
    return first if first and first.content == release.content else release


def _ancestors(release: Release, kept: Mapping[int, Release]) -> Iterator[Release]:
    parent = kept.get(release.parent)
    while parent is not None and parent.version < release.version:
        yield parent
        release, parent = parent, kept.get(parent.parent)


def _is_held(release: Release, quarantine: Collection[str]) -> bool:
    return any(pair in quarantine for pair in pairs_of(release))


def _too_far(found: int) -> str:
    if not found:
        return "There is no earlier accepted release"
    return f"Only {found} earlier accepted release{'s are' if found > 1 else ' is'} kept"
