"""How a process comes to its first snapshot: from Redis, or from the last known good on disk."""

from __future__ import annotations

import gc
import time

from confbus.errors import Closed, ConfigRefused, ConnectFailed, InvalidSettings, SealBroken
from confbus.wire.record import record
from confbus.wire.sections import NOTHING, value_of
from confbus.wire.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from confbus.errors import ConfBusError
    from confbus.fallback import Fallback, LastGood
    from confbus.following import Following
    from confbus.local import Local
    from confbus.wire.sections import Assembly

    Policy = Literal["wait", "cached", "fail"]

POLICIES = ("wait", "cached", "fail")


@record(frozen=True, slots=True)
class Restored:
    """What came from disk and is read now."""

    good: LastGood
    assembly: Assembly


def checked(policy: str) -> None:
    """Raises `InvalidSettings` for what is no way to start."""
    if policy not in POLICIES:
        raise InvalidSettings("start=", f"{policy!r} is no way to start", advice="Say 'wait', 'cached' or 'fail'.")


def restore(local: Local, fallback: Fallback, *, waits: bool = True) -> Restored | None:
    """Let the last known good be read, if there is one and nothing is read yet. Any thread may call this.

    Raises `Malformed` for one that must not be believed, `ConfigRefused` for one that this process refuses,
    `Awaited` as `Local.receive`.
    """
    collecting = gc.isenabled()
    gc.disable()  # a start makes many objects and frees none
    try:
        with local.changing:
            return None if local.snapshot is not None else _restore(local, fallback, waits=waits)
    finally:
        if collecting:
            gc.enable()


def _restore(local: Local, fallback: Fallback, *, waits: bool) -> Restored | None:
    good = fallback.load()
    if good is None:
        return None
    head = good.head
    try:
        opener = local.unsealing.opener(good.blobs.values())
        values = {name: value_of(name, blob, opener) for name, blob in good.blobs.items()}
    except SealBroken as error:
        raise ConfigRefused(head.version, str(error)) from error
    assembly = NOTHING.changed(good.manifest, values)
    snapshot = Snapshot(
        assembly.document,
        version=head.version,
        revision=head.revision,
        epoch=head.epoch,
        digest=head.digest,
        at_ms=good.at_ms,
        locked=assembly.locked_places,
        references=assembly.references,
    )
    reason = local.receive(snapshot, waits=waits)
    if reason:
        raise ConfigRefused(head.version, reason)
    return Restored(good, assembly)


def told(error: ConfBusError) -> None:
    """Say why the last known good is not used."""
    import logging

    logging.getLogger("confbus").warning("the last known good on disk is not used: %s", error)


class Wait:
    """The wait for the first snapshot: when it is over, and what comes of it."""

    __slots__ = ("_following", "_local", "_policy", "_started_at", "_timeout_s")

    def __init__(self, local: Local, following: Following, policy: Policy, timeout_s: float) -> None:
        self._local = local
        self._following = following
        self._policy = policy
        self._timeout_s = timeout_s
        self._started_at = time.monotonic()

    def is_over(self) -> bool:
        """True when there is a snapshot, or no hope of one."""
        following = self._following
        hopeless = following.dead_end or (self._policy == "fail" and following.setback)
        return self._local.snapshot is not None or following.is_leaving or bool(hopeless)

    def conclude(self, *, where: str) -> None:
        """Return when there is a snapshot to read, be it from disk.

        Raises `ConfigRefused` when this process refuses the first release and there is nothing else to run,
        `ConnectFailed` when none came, and `Closed` when nobody waits for it any more.
        """
        local, following = self._local, self._following
        if local.snapshot is None and not following.dead_end and self._policy != "fail":
            following.restore()
        if local.snapshot is not None:
            return
        if following.is_leaving:
            raise Closed
        if following.dead_end:
            raise ConfigRefused(*following.dead_end)
        status = following.status()
        waited_s = self._timeout_s if self._policy != "fail" else round(time.monotonic() - self._started_at, 1)
        raise ConnectFailed(where, status.namespace, waited_s, following.setback or status.hindrance)
