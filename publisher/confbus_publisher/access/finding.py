"""What the attempts of a user found: for each row what it may, and what of that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus.connection import ErrorReply
from confbus.dial import dialled
from confbus.errors import ConfBusError, Unreachable
from confbus.link import reason_of
from confbus_publisher.access.attempt import ANY_PASSWORD, as_user, by_dry_run, logs_in_freely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus.connection import Connection
    from confbus.wire.keys import Keys
    from confbus_publisher.access.attempt import Attempt

_NAME = "confbus:acl"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row: the commands that are allowed and those that are refused as they should be; those that are refused and
    should not be (`missing`), and those that are allowed and should not be (`excess`)."""

    row: str
    allowed: tuple[str, ...]
    refused: tuple[str, ...]
    missing: tuple[str, ...]
    excess: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return not self.missing and not self.excess


def findings(some: Sequence[Attempt], refusals: Sequence[str]) -> list[Finding]:
    """The attempts, with why each was refused (empty: it was not), by row."""
    outcomes = list(zip(some, refusals, strict=True))

    def named(row: str, *, is_due: bool, is_refused: bool) -> tuple[str, ...]:
        return tuple(
            attempt.name
            for attempt, refusal in outcomes
            if attempt.row == row and attempt.is_due == is_due and bool(refusal) == is_refused
        )

    return [
        Finding(
            row,
            allowed=named(row, is_due=True, is_refused=False),
            refused=named(row, is_due=False, is_refused=True),
            missing=named(row, is_due=True, is_refused=True),
            excess=named(row, is_due=False, is_refused=False),
        )
        for row in dict.fromkeys(attempt.row for attempt in some)
    ]


def tried(url: str, keys: Keys, some: Sequence[Attempt], *, user: str = "") -> list[Finding]:
    """What a server says to the attempts: to the user of the URL, or of `user` when there is one.

    Nothing is done there. Raises `Unreachable`, and `ConfBusError` when whoever asks may not ask that.
    """
    where = dialled(url, keys).where
    try:
        connection = _opened(url, keys)
        try:
            some = [attempt for attempt in some if user or not attempt.is_dry]
            refusals = by_dry_run(connection, user, some) if user else as_user(connection, some)
            if user and logs_in_freely(connection, user):
                some, refusals = [*some, ANY_PASSWORD], [*refusals, ""]
        finally:
            connection.close()
    except ErrorReply as error:
        raise _untold(where, reason_of(error), user=user) from error
    except ConfBusError:
        raise
    except Exception as error:
        raise Unreachable(where, reason_of(error)) from error
    return findings(some, refusals)


def _opened(url: str, keys: Keys) -> Connection:
    """A connection that carries out nothing by itself: that of a Cluster repeats elsewhere what a node sends away."""
    if "+cluster" not in url.partition(":")[0]:
        return dialled(url, keys).open(_NAME)
    from confbus.cluster import Cluster
    from confbus.server import open_server
    from confbus.topology import topology

    nodes = topology(url)
    return open_server(nodes.node_url(Cluster(nodes, keys.head).node()), _NAME)


def _untold(where: str, reason: str, *, user: str) -> ConfBusError:
    if user:
        advice = "The user of the URL needs `+acl|dryrun`, on Redis 7 or newer; without --user, it is tried itself."
        return ConfBusError(f"{where} does not tell what {user} may do: {reason}.", advice=advice)
    advice = "It takes `+multi` and `+discard`; with --user NAME, whoever may ACL DRYRUN can ask for it."
    return ConfBusError(f"{where} does not let this user try: {reason}.", advice=advice)
