"""Reading from Redis as every worker does, beside the publisher in the same process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from confbus.errors import ConnectFailed, WaitTimeout
from confbus.subscriber import Subscriber
from confbus.timing import Timing

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from confbus.changes import Subscription
    from confbus.status import Status
    from confbus.wire.diff import Change
    from confbus.wire.head import Head
    from confbus.wire.snapshot import Snapshot
    from confbus_publisher.ledger import State

PATIENCE_S = 10.0


class FleetReader:
    """A `Subscriber` that a manager can wait for. `moved` is called, from another thread, with the change id of
    the head that was seen last.

    It listens from its first `follow` on: in an empty Redis a listener is somebody who may know more, and a publisher
    waits for what it says.
    """

    def __init__(
        self,
        url: str,
        namespace: str,
        validators: list[Callable[[Snapshot], object]],
        *,
        poll_s: float,
        moved: Callable[[str], object],
        open_keys: Path | None = None,
    ) -> None:
        self._validators = validators
        self._moved = moved
        self._status_changed = threading.Condition()
        self._is_following = False
        self._subscriber = Subscriber(
            url,
            namespace=namespace,
            validators=[self._validate],
            timing=Timing(poll_s=poll_s),
            observer=self._observe,
            open_keys=open_keys,
        )

    @property
    def snapshot(self) -> Snapshot | None:
        try:
            return self._subscriber.snapshot
        except ConnectFailed:
            return None

    def follow(self, state: State) -> str:
        """As `Reader.follow`. Raises `WaitTimeout` when the head does not come over Redis in time."""
        if not self._is_following:
            self._is_following = True
            self._subscriber.follow()
        with self._status_changed:
            if not self._status_changed.wait_for(lambda: self._has_seen(state.head), PATIENCE_S):
                status = self._subscriber.status()
                raise WaitTimeout(f"Version {state.head.version}", PATIENCE_S, f"in state {status.state!r}")
        status = self._subscriber.status()
        return status.error if status.state == "vetoing" else ""

    def subscribe(self, callback: Callable[[list[Change]], object], path: str) -> weakref.ref[Subscription]:
        return self._subscriber.subscribe(callback, path)

    def unsubscribe(self, subscription: weakref.ref[Subscription]) -> None:
        self._subscriber.unsubscribe(subscription)

    def observe(self, registry: CollectorRegistry) -> None:
        from confbus.metrics import observe

        observe(self._subscriber, registry)

    def close(self) -> None:
        self._subscriber.close()

    def _has_seen(self, head: Head) -> bool:
        seen = self._subscriber.status().seen
        if seen is None:
            return False
        return seen.change == head.change or (seen.epoch == head.epoch and seen.revision >= head.revision)

    def _validate(self, snapshot: Snapshot) -> None:
        for validator in tuple(self._validators):
            validator(snapshot)

    def _observe(self, status: Status) -> None:
        with self._status_changed:
            self._status_changed.notify_all()
        if status.seen is not None:
            self._moved(status.seen.change)
