"""One pending guard: a release that is watched, and the one whose content comes back when it does harm.

It lies in the store beside the head, written by the commit of the head change that it guards. It is alive as long as
that change is the head's: whatever comes next ends it, also what knows nothing of guards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confbus_publisher.guard.limit import NONE, Limit, parse_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.release import Release

_ID = re.compile(r"[0-9a-f]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,14}")


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long a release is watched, and how many live instances may refuse it."""

    for_s: float
    vetoes: Limit = NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """`version`, made by the head change `change`, is watched from `since_ms` until `until_ms` by the store's clock.

    `back` is the version whose content would come back, `digest` the one of that content, `author` who published.
    """

    change: str
    version: int
    back: int
    digest: str
    author: str
    since_ms: int
    until_ms: int
    vetoes: Limit = NONE

    def is_over(self, now_ms: int) -> bool:
        """Whether its time has come."""
        return now_ms >= self.until_ms

    def fields(self) -> dict[str, str]:
        """What the store keeps, readable."""
        return {
            "change": self.change,
            "version": str(self.version),
            "back": str(self.back),
            "digest": self.digest,
            "author": self.author,
            "since": str(self.since_ms),
            "until": str(self.until_ms),
            "vetoes": str(self.vetoes),
        }


@dataclass(frozen=True, slots=True)
class Retreat:
    """The release that a guard may go back to, with all of its content."""

    release: Release
    blobs: Mapping[str, bytes] = field(repr=False)


def parse(fields: Mapping[str, str]) -> Guard | None:
    """The guard in `fields`; None for anything that no publisher writes."""
    numbers = [fields.get(name, "") for name in ("version", "back", "since", "until")]
    ids = [fields.get(name, "") for name in ("change", "digest")]
    limit = parse_limit(fields.get("vetoes", ""))
    if limit is None or not all(map(_NUMBER.fullmatch, numbers)) or not all(map(_ID.fullmatch, ids)):
        return None
    version, back, since_ms, until_ms = map(int, numbers)
    return Guard(
        change=ids[0],
        version=version,
        back=back,
        digest=ids[1],
        author=fields.get("author", "")[:200],
        since_ms=since_ms,
        until_ms=until_ms,
        vetoes=limit,
    )
