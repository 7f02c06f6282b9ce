"""A whole namespace as it is kept elsewhere: all that a backup has but the blobs, which are too many to hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confbus.wire.head import Head
    from confbus.wire.release import Release
    from confbus_publisher.ledger.store import LogEntry


@dataclass(frozen=True, slots=True)
class Image:
    """A head, the releases that are kept, and what is beside them. `blobs` are the digests of all blobs, the log's
    entries come oldest first, and the release of the head is among the releases."""

    head: Head
    releases: tuple[Release, ...]
    blobs: frozenset[str] = field(repr=False)
    log: tuple[LogEntry, ...] = field(default=(), repr=False)
    quarantine: Mapping[str, str] = field(default_factory=dict[str, str])
    overrides: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    approvals: Mapping[str, str] = field(default_factory=dict[str, str])
    holds: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def release(self) -> Release:
        """The one that the head stands for."""
        return next(release for release in self.releases if release.version == self.head.version)

    def wanted(self) -> Iterator[str]:
        """The digest of every section of every release."""
        for release in self.releases:
            yield from release.manifest.sections.values()
