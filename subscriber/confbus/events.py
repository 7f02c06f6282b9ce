"""What the follower is told, and what it asks for. Plain values: the follower touches no socket, thread or clock."""

from __future__ import annotations

from confbus.wire.record import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.head import Head
    from confbus.wire.manifest import Manifest
    from confbus.wire.sections import Assembly


@record(frozen=True, slots=True)
class Acked:
    """The server acknowledged the subscription: notices from now on arrive, earlier ones may be lost."""


@record(frozen=True, slots=True)
class Heard:
    """A message came on the channel."""

    message: bytes = field(repr=False)


@record(frozen=True, slots=True)
class Ponged:
    """The server answered a ping on the subscription's connection."""


@record(frozen=True, slots=True)
class LinkLost:
    """The subscription's connection failed."""

    error: str


@record(frozen=True, slots=True)
class HeadRead:
    """The head, read from the primary (None: there is none)."""

    head: Head | None


@record(frozen=True, slots=True)
class ReadFailed:
    """Reading failed. `is_damage`: the server answered, but what it holds is not what the head names."""

    error: str
    is_damage: bool = False


@record(frozen=True, slots=True)
class Fetched:
    """The release of a head, with the blobs of the sections that were asked for, by section name."""

    head: Head
    manifest: Manifest
    blobs: Mapping[str, bytes] = field(repr=False)
    at_ms: int


@record(frozen=True, slots=True)
class Applied:
    """The candidate passed and is what this process now reads."""

    head: Head
    assembly: Assembly


@record(frozen=True, slots=True)
class Refused:
    """The candidate did not pass; what ran before goes on running. `is_damage`: its bytes are wrong."""

    head: Head
    reason: str
    is_damage: bool = False


@record(frozen=True, slots=True)
class Found:
    """What this process reads until there is better: the last known good from disk, or an earlier release in place of a
    first one that it refused. `verified_at` is when it was last known to be the newest (monotonic)."""

    head: Head
    assembly: Assembly
    verified_at: float = float("-inf")


@record(frozen=True, slots=True)
class Ticked:
    """Time passed."""


Event = Acked | Heard | Ponged | LinkLost | HeadRead | ReadFailed | Fetched | Applied | Refused | Found | Ticked


@record(frozen=True, slots=True)
class Connect:
    """Make a new connection for the subscription, in place of any old one, and subscribe."""


@record(frozen=True, slots=True)
class Ping:
    """Ask the server for a sign of life on the subscription's connection."""


@record(frozen=True, slots=True)
class ReadHead:
    """Read the head over the other connection."""


@record(frozen=True, slots=True)
class Fetch:
    """Read the release of `head`, and the blobs of the sections that differ from `running`."""

    head: Head
    running: Manifest


@record(frozen=True, slots=True)
class Apply:
    """Verify the bytes, put the sections on top of `base`, ask the validators, and make it what this process reads.

    `blobs` holds changed sections by name; None for a section that is gone.
    """

    head: Head
    base: Assembly
    manifest: Manifest
    blobs: Mapping[str, bytes | None] = field(repr=False)
    at_ms: int


@record(frozen=True, slots=True)
class FindAccepted:
    """Nothing runs yet, and the content of `head` was refused: look for an earlier one that is not."""

    head: Head


@record(frozen=True, slots=True)
class Report:
    """Tell the fleet what this instance has seen and runs."""


Action = Connect | Ping | ReadHead | Fetch | Apply | FindAccepted | Report
