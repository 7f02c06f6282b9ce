"""The documents behind versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import NoRelease
from confbus.wire.manifest import EMPTY
from confbus.wire.sections import join

if TYPE_CHECKING:
    from confbus.wire.release import Release
    from confbus.wire.sections import Assembly, Opener
    from confbus_publisher.ledger import Ledger, State


def head_state(ledger: Ledger) -> State:
    """The state of the head. Raises `NoRelease` when nothing is published."""
    state = ledger.refresh()
    if state is None:
        raise NoRelease("Nothing is published in this namespace", advice="`confbus publish` makes the first release.")
    return state


def content(ledger: Ledger, release: Release, opener: Opener | None = None) -> Assembly:
    """The configuration of a release; what is sealed is locked, but for what `opener` opens.

    Raises `NoRelease` when part of it is gone, and what `opener` raises.
    """
    return join(ledger.blobs(release.manifest), release.manifest, opener)


def release_of(ledger: Ledger, version: int | None) -> Release:
    """The release of that number; without one, that of the head. Raises `NoRelease`."""
    return head_state(ledger).release if version is None else ledger.release(version)


def changed_sections(release: Release, parent: Release | None) -> list[str]:
    """The sections in which a release differs from the one it replaced, or all of them when there was none."""
    before = parent.manifest if parent else EMPTY
    return sorted(before.changes_to(release.manifest))


def parent_of(ledger: Ledger, release: Release) -> Release | None:
    """The release that `release` replaced, if it is kept."""
    return next(iter(ledger.store.releases([release.parent])), None) if release.parent else None
