"""What one subscriber says about itself: to its own process, and to the fleet."""

from __future__ import annotations

import time

from confbus.version import PROGRAM
from confbus.wire.path import render
from confbus.wire.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from confbus.fallback import LastGood
    from confbus.follower import Follower
    from confbus.local import Local
    from confbus.timing import Counts
    from confbus.wire.head import Head


MOST_PATHS, MOST_OF_PATH = 20, 100
_SHORTEST_S, _LONGEST_S = 0.1, 3600.0
_UNCONFIRMED = {"reconnecting", "cached"}


@record(frozen=True, slots=True)
class Stand:
    """One head, as far as people and repairs need it."""

    version: int
    revision: int
    epoch: str
    change: str
    digest: str
    lineage: tuple[tuple[str, int], ...] = ()

    def facts(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "version": self.version,
            "revision": self.revision,
            "epoch": self.epoch,
            "change": self.change,
            "digest": self.digest,
            "lineage": self.lineage,
        }


@record(frozen=True, slots=True)
class Status:
    """Where a subscriber stands.

    `state` is waiting, live, reconnecting, cached, vetoing, regressed, lost, outdated or closed. `seen` is the head
    that was judged last, `running` the one whose content is read; they differ after a veto. `verified_age_s` is how
    long ago the head was last read from Redis (infinite: never), `error` the last thing that went wrong. `overlay` are
    the paths at which this instance reads values of its own, `locked` the sections for which it has no key.
    `is_connected` says whether it hears of changes, whatever it makes of them.
    """

    namespace: str
    instance: str
    state: str
    seen: Stand | None
    running: Stand | None
    verified_age_s: float
    error: str
    counts: Counts
    overlay: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    is_connected: bool = False

    @property
    def verified_at(self) -> datetime | None:
        """When the head was last read from Redis, by the clock of this machine; None: never."""
        from datetime import UTC, datetime, timedelta

        if self.verified_age_s == float("inf"):
            return None
        return datetime.now(UTC) - timedelta(seconds=self.verified_age_s)

    @property
    def hindrance(self) -> str:
        """What keeps the first snapshot away."""
        if self.error:
            return self.error.rstrip(".")
        is_verified = self.verified_age_s != float("inf")
        return "nothing is published in this namespace yet" if is_verified else "Redis did not answer yet"

    def __str__(self) -> str:
        version = self.running.version if self.running else "none"
        age = f", last confirmed {_ago(self.verified_age_s)}" if self.state in _UNCONFIRMED and self.running else ""
        return f"version {version} ({self.state}{age}{': ' if self.error else ''}{self.error})"

    def report(self, labels: Mapping[str, str], *, interval_s: float, protocol: int, validators: int) -> dict[str, Any]:
        """What the fleet is told: plain values, small, without any configuration value."""
        return {
            "instance": self.instance,
            "state": self.state,
            "seen": self.seen.facts() if self.seen else None,
            "running": self.running.facts() if self.running else None,
            "error": self.error[:200],
            "labels": dict(labels),
            "interval_s": interval_s,
            "protocol": protocol,
            "program": PROGRAM,
            "validators": validators,
            "overlay": [path[:MOST_OF_PATH] for path in self.overlay[:MOST_PATHS]],
            "locked": [section[:MOST_OF_PATH] for section in self.locked[:MOST_PATHS]],
        }


def _ago(age_s: float) -> str:
    if age_s == float("inf"):
        return "never"
    for unit_s, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if age_s >= 2 * unit_s:
            return f"{age_s / unit_s:.0f} {unit} ago"
    return f"{age_s:.0f} s ago"


def status_of(
    follower: Follower, local: Local, disk: LastGood | None, *, namespace: str, instance: str, trouble: str
) -> Status:
    """Where `follower` stands, or what comes from `disk` when that is read and the follower does not know it yet.
    `trouble` is that of the file for a start."""
    snapshot, resolver = local.snapshot, local.resolver
    age_s = disk.age_s if disk else time.monotonic() - follower.verified_at
    state, error = ("cached", follower.error) if disk else honest(follower, age_s)
    return Status(
        namespace=namespace,
        instance=instance,
        state=state,
        seen=stand(disk.head if disk else follower.seen),
        running=stand(disk.head if disk else follower.served),
        verified_age_s=age_s,
        error=error or trouble or local.problem,
        counts=replace(follower.counts, **(resolver.counts if resolver else {})),
        overlay=() if snapshot is None else snapshot.overlaid,
        locked=() if snapshot is None else tuple(map(render, snapshot.locked)),
        is_connected=is_connected(follower, state, age_s),
    )


def honest(follower: Follower, age_s: float) -> tuple[str, str]:
    """The state of a follower, and what is wrong. One that calls itself live, and was not asked for long, is not: its
    thread is kept, be it by a validator of another subscriber."""
    if follower.state == "live" and age_s > _longest_s(follower):
        return "reconnecting", follower.error or f"nothing was confirmed for {age_s:.0f} s: what keeps this thread?"
    return follower.state, follower.error


def is_connected(follower: Follower, state: str, age_s: float) -> bool:
    """Whether a follower in `state` hears of changes, though it may refuse them."""
    return state not in _UNCONFIRMED and age_s <= _longest_s(follower)


def _longest_s(follower: Follower) -> float:
    return 2 * max(follower.timing.silence_s, follower.timing.poll_s)


def interval_of(fact: Any) -> float:
    """How often the sender of a report with this `interval_s` reports, in seconds: within reason, whatever it says."""
    return min(max(_SHORTEST_S, float(fact)), _LONGEST_S)


def stand(head: Head | None) -> Stand | None:
    """The part of a head that people need."""
    if head is None:
        return None
    return Stand(head.version, head.revision, head.epoch, head.change, head.digest, head.lineage)
