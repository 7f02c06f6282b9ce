"""Which releases and blobs are kept, and what the next commit may drop.

Because a commit is compared with the exact state it replaces, what is in Redis is known without looking: this is the
memory of it, worked out once from the kept releases and carried on from commit to commit.
"""

from __future__ import annotations

from itertools import islice, takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from confbus.wire.release import Release

MIN_HISTORY = 16
GRACE_MS = 10 * 60 * 1000
"""Releases younger than this stay, however many there are: a worker may be about to fetch one."""
MAX_DROPPED = 64


class Inventory:
    """The kept releases and blobs of one namespace. `releases` come newest first, without gaps in their parents."""

    def __init__(self, releases: Iterable[Release], blob_names: Iterable[str]) -> None:
        self.blob_names = set(blob_names)
        self._times_ms: dict[int, int] = {}
        self._last_use: dict[str, int] = {}
        for release in sorted(releases, key=lambda release: release.version):
            self._times_ms[release.version] = release.at_ms
            self._last_use.update(dict.fromkeys(_blobs_of(release), release.version))
        self._has_orphans = not self.blob_names <= self._last_use.keys()

    @property
    def versions(self) -> list[int]:
        """The kept versions, oldest first."""
        return list(self._times_ms)

    def droppable(self, *, history: int, now_ms: int, back: int | None = None) -> list[int]:
        """The versions, oldest first, that may go when one more release comes; `back` stays, and what came after it.

        One from a future that nobody had, because a clock was set back since, counts as old.
        """
        outside = islice(self._times_ms, max(0, len(self._times_ms) + 1 - max(history, MIN_HISTORY)))
        ages_ms = {version: abs(now_ms - at_ms) for version, at_ms in self._times_ms.items()}
        old = takewhile(lambda version: version != back and ages_ms[version] > GRACE_MS, outside)
        return list(islice(old, MAX_DROPPED))

    def freed_without(self, dropped: Collection[int], new: Release) -> list[str]:
        """The blobs that no release names any more once `dropped` are gone and `new` is there; orphans included."""
        if not dropped and not self._has_orphans:
            return []
        gone = set(dropped)
        oldest = min((version for version in self._times_ms if version not in gone), default=new.version)
        used = set(_blobs_of(new))
        return [digest for digest in self.blob_names if self._last_use.get(digest, 0) < oldest and digest not in used]

    def __contains__(self, version: int) -> bool:
        return version in self._times_ms

    def committed(
        self, release: Release, *, added: Iterable[str], dropped: Iterable[int], freed: Iterable[str]
    ) -> None:
        """Carry on after a commit."""
        self.blob_names.update(added)
        self.blob_names.difference_update(freed)
        for digest in freed:
            self._last_use.pop(digest, None)
        for version in dropped:
            self._times_ms.pop(version, None)
        self._times_ms[release.version] = release.at_ms
        self._last_use.update(dict.fromkeys(_blobs_of(release), release.version))
        self._has_orphans = False


def _blobs_of(release: Release) -> list[str]:
    return [*release.manifest.sections.values(), *release.origins]
