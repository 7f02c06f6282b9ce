"""What a ledger needs of the place where it keeps releases: one atomic commit, and plain reads.

Two stores keep these promises: `RedisStore` for a fleet, `MemoryStore` for one process. The same tests hold both to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from confbus.wire.head import Head
    from confbus.wire.release import Release
    from confbus_publisher.guard.guard import Guard
    from confbus_publisher.ledger.image import Image


@dataclass(frozen=True, slots=True)
class Commit:
    """One change of the head and all that goes with it, worked out in full before anything is sent.

    `base` is the head it replaces (None: there must be none). `release` is absent when only the head changes; `parent`
    is the kept release that it equals but for `changes` (section to digest, None: gone). `blobs` are new, `blob_count`
    is how many there must be before. `guard` watches the change; without one, an earlier guard ends. `restored`
    overrides come back where there is none after the `withdrawn` ones are gone, and so do `holds` where there is none.
    An approval of the release's digest is used up. `dropped` and `freed` name releases and blobs that nothing uses any
    more.
    """

    base: Head | None
    head: Head
    notice: bytes = field(repr=False)
    entry: Mapping[str, str]
    blob_count: int
    release: Release | None = None
    parent: Release | None = None
    changes: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    blobs: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    quarantined: Mapping[str, str] = field(default_factory=dict[str, str])
    lifted: Sequence[str] = ()
    restored: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    withdrawn: Sequence[str] = ()
    guard: Guard | None = None
    holds: Mapping[str, str] = field(default_factory=dict[str, str])
    dropped: Sequence[int] = ()
    freed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Amendment:
    """One field of what people put beside the releases, set or (`text` None) taken away, and its entry of the log.

    With `expected` the field must hold just that text, else nothing happens.
    """

    kind: Literal["overrides", "approvals", "holds"]
    field: str
    text: str | None
    entry: Mapping[str, str]
    expected: str | None = None

    def __repr__(self) -> str:
        return f"Amendment({self.kind!r}, {self.field!r})"


@dataclass(frozen=True, slots=True)
class Overrides:
    """Every override by its path, as text; `change` is the head's id (empty: no head) and `now_ms` the place's time at
    the very moment of the look."""

    texts: Mapping[str, str] = field(repr=False)
    change: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class Holds:
    """Every hold by what it holds, as text; `change` and `now_ms` as in `Overrides`."""

    texts: Mapping[str, str]
    change: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the audit trail; `id` begins with the server's Unix time in milliseconds.

    One that an import brought behind newer ones has the time of its own id in the field `at`.
    """

    id: str
    fields: Mapping[str, str]

    @property
    def at_ms(self) -> int:
        then = self.fields.get("at", "")
        return int(then if _IS_TIME.fullmatch(then) else self.id.partition("-")[0])


_IS_TIME = re.compile(r"[0-9]{1,15}", re.ASCII)


class BlobsDiffer(Exception):
    """Blobs were deleted or added behind the publisher's back; nothing was written."""


class VersionTaken(Exception):
    """A release of this version is still there from an earlier life; nothing was written."""


class LogMoved(Exception):
    """The log has other entries than the import knew of; nothing was written."""


class Store(Protocol):
    """Where releases are kept. Every method raises `Unreachable` when the place does not answer."""

    @property
    def where(self) -> str:
        """The place, for messages; never with a password."""
        ...

    def head(self) -> Head | None:
        """The head, or None. Raises `Malformed` when something else is in its place."""
        ...

    def releases(self, versions: Sequence[int]) -> list[Release]:
        """Those of `versions` that are kept, in that order; malformed ones are left out."""
        ...

    def blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The blobs that are there."""
        ...

    def blob_names(self) -> set[str]:
        """The digest of every blob that is there."""
        ...

    def commit(self, commit: Commit) -> str:
        """Carry out `commit`, whole or not at all, and announce it; a repeated call changes nothing more.

        Returns why the notice was not sent, or the empty text. Raises `Conflict` when the head is not `base`,
        `BlobsDiffer`, `VersionTaken`, `Refused` when the place must not be written, `OutcomeUnknown` when the
        connection broke for good on the way.
        """
        ...

    def leave(self, blobs: Mapping[str, bytes], releases: Sequence[Release] = ()) -> None:
        """Leave blobs, and releases in place of those of the same number, where no head names them.

        Raises `Conflict` when there is a head, `Refused` and `OutcomeUnknown` as `commit`.
        """
        ...

    def install(self, image: Image, *, tail: str) -> None:
        """Make the namespace what `image` says, whole or not at all; its blobs and releases were left there before.

        `tail` is the id of the newest entry of the log that is there; the image's entries come after it. The id `*` is
        the place's to give. A repeated call changes nothing more. Raises `Conflict` when there is a head, `BlobsDiffer`
        when a blob or a release is not there, `LogMoved`, and `Refused` and `OutcomeUnknown` as `commit`.
        """
        ...

    def quarantine(self) -> dict[str, str]:
        """Held `section digest` pairs, each with why, by whom and since."""
        ...

    def overrides(self) -> Overrides:
        """What people put on top of the sources. Raises `Refused` when it must not be read, or is something else."""
        ...

    def holds(self) -> Holds:
        """What people told publishers to leave alone. Raises `Refused` when it must not be read, or is something
        else."""
        ...

    def guard(self) -> Guard | None:
        """The guard that was written last and has not ended, alive or not."""
        ...

    def end_guard(self, guard: Guard, entry: Mapping[str, str]) -> bool:
        """Take `guard` away, with an entry of the log; False, with nothing written, when it is not there any more.

        Raises as `amend`.
        """
        ...

    def approvals(self) -> dict[str, str]:
        """What people approved beforehand: the digest of a document, each with who and why, as text."""
        ...

    def amend(self, amendment: Amendment) -> bool:
        """Carry out `amendment` and let publishers look; a repeated call changes nothing more.

        False, with nothing written, when the field to take away is not there or does not hold what is expected.
        Raises `Refused` when the place must not be written, `OutcomeUnknown` when the connection broke for good on
        the way.
        """
        ...

    def log(self, count: int, *, after: str = "", before: str = "") -> list[LogEntry]:
        """The newest entries between two ids, which are left out themselves, newest first."""
        ...

    def note(self, entry: Mapping[str, str]) -> None:
        """Add an entry for something that was refused."""
        ...

    def fleet(self) -> dict[str, bytes]:
        """The raw report of each instance."""
        ...

    def report(self, instance: str, report: bytes) -> None:
        """Leave a report of this publisher among those of the fleet."""
        ...

    def forget(self, instances: Iterable[str]) -> None:
        """Drop the reports of instances that are gone."""
        ...

    def listeners(self) -> int:
        """How many connections listen for notices, as far as the place lets itself be asked; else 0."""
        ...

    def time_ms(self) -> int:
        """The place's own Unix time."""
        ...

    def age_s(self) -> float:
        """For how many whole seconds the place has been up, as far as it lets itself be asked; else infinite."""
        ...

    def lease(self) -> str:
        """Who is the active publisher, or the empty text."""
        ...

    def lease_ends_in_s(self) -> float:
        """How soon the lease runs out unless its holder prolongs it; 0 when nobody holds it."""
        ...

    def take_lease(self, holder: str, ttl_ms: int) -> str:
        """Become or stay the active publisher if nobody else is. Returns who is, for at most `ttl_ms` without another
        call of its own: so nobody who is gone holds it for longer, however the place's clock was set meanwhile."""
        ...

    def drop_lease(self, holder: str) -> None:
        """Stop being the active publisher; nothing happens when somebody else is."""
        ...

    def close(self) -> None: ...
