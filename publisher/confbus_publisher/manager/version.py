"""The versions that are kept, as the guide lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from confbus.wire.release import Release


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """One release. `of` is the version whose content it has: itself, or an older one after a rollback. `timestamp` is
    UTC without a zone, by the clock of whoever published it."""

    version: int
    of: int
    timestamp: datetime
    digest: str
    author: str
    message: str

    @classmethod
    def from_release(cls, release: Release) -> Self:
        at = datetime.fromtimestamp(release.at_ms / 1000, UTC).replace(tzinfo=None)
        return cls(release.version, release.of, at, release.digest, release.author, release.message)
