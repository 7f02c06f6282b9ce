"""The object that a worker reads its configuration from.

Reading is a memory access: no lock, no network, no Python frame for `config["a.b"]`. One daemon thread follows Redis
and swaps the snapshot; everything it decides is in `follower`.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, Self

from confbus import candidate
from confbus.changes import Dispatcher
from confbus.errors import Closed, ConnectFailed, Malformed, WaitTimeout
from confbus.events import Action, Applied, Apply, Connect, Event, Fetch, LinkLost, Ping, ReadHead, Refused, Ticked
from confbus.follower import Follower, Timing
from confbus.link import Link, redacted
from confbus.status import Status, stand
from confbus.wire.head import PROTOCOL

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable, Iterable, Mapping

    from confbus.changes import Subscription
    from confbus.explanation import Explanation
    from confbus.wire import path as paths
    from confbus.wire.diff import Change
    from confbus.wire.frozen import Frozen
    from confbus.wire.snapshot import Snapshot

_MAX_WAIT_S = 1.0
_BREATH_S = 0.002
_ABSENT = object()


class Subscriber:
    """A configuration that stays current by itself. `confbus.connect` makes and starts one.

    `validators` are called with each new snapshot before it is read; one that raises keeps the old configuration and
    reports the reason to the fleet. `labels` describe this instance to the fleet. `observer` is called from the
    following thread with the status whenever it changes, and after each notice. Reads are safe from any thread.
    """

    __slots__ = (
        "__weakref__",
        "_dispatcher",
        "_find",
        "_follower",
        "_is_closing",
        "_is_reporting",
        "_labels",
        "_link",
        "_moved",
        "_observer",
        "_read",
        "_snapshot",
        "_thread",
        "_unreported_since",
        "_url",
        "_validators",
        "instance",
        "namespace",
    )

    def __init__(
        self,
        url: str,
        *,
        namespace: str,
        validators: Iterable[Callable[[Snapshot], object]] = (),
        labels: Mapping[str, str] | None = None,
        timing: Timing | None = None,
        prefix: str = "confbus",
        is_reporting: bool = True,
        observer: Callable[[Status], object] | None = None,
    ) -> None:
        self.namespace = namespace
        self.instance = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(3).hex()}"
        self._url = url
        self._validators = tuple(validators)
        self._labels = dict(labels or {})
        self._is_reporting = is_reporting
        self._observer = observer
        self._follower = Follower(timing or Timing())
        self._dispatcher = Dispatcher()
        self._moved = threading.Condition()
        self._is_closing = False
        self._unreported_since = 0.0
        self._snapshot: Snapshot | None = None
        self._read: Callable[[Any], Any] = self._not_ready
        self._find: Callable[[Any, Any], Any] = lambda _path, default: default
        self._link = Link(url, namespace, instance=self.instance, prefix=prefix)
        self._thread = threading.Thread(target=self._follow, name=f"confbus-{namespace}", daemon=True)

    def start(self, *, timeout_s: float = 30.0) -> Subscriber:
        """Begin to follow, and wait for the first snapshot. Raises `ConnectFailed` when none comes in time."""
        self.follow()
        with self._moved:
            if not self._moved.wait_for(lambda: self._snapshot is not None or self._is_closing, timeout_s):
                self._not_ready("", timeout_s)
        return self

    def follow(self) -> Subscriber:
        """Begin to follow, and return at once; reading raises `ConnectFailed` until the first snapshot is there."""
        self._thread.start()
        return self

    if TYPE_CHECKING:

        def __getitem__(self, path: str | paths.Path) -> Any: ...

    def get(self, path: str | paths.Path, default: Any = None) -> Any:
        """The value at `path`; `default` only where there is none (a null is None)."""
        value = self._find(path, _ABSENT)
        return self.snapshot.get(path, default) if value is _ABSENT else value

    def section(self, path: str | paths.Path) -> Frozen:
        """The mapping at `path`, frozen. Raises `UnknownPath`, and `TypeError` when it is no mapping."""
        return self.snapshot.section(path)

    def __contains__(self, path: object) -> bool:
        return path in self.snapshot

    @property
    def snapshot(self) -> Snapshot:
        """The newest accepted release, to be held while several reads must agree."""
        if self._snapshot is None:
            self._not_ready("")
        return self._snapshot

    def subscribe(self, callback: Callable[[list[Change]], object], path: str = "**") -> weakref.ref[Subscription]:
        """Call `callback` with the list of changed leaves under `path` after each new release, on another thread.

        Functions and lambdas are kept; bound methods are not (their object going away ends the subscription). When
        releases come faster than the callback, it sees one change from what it saw last to the newest.
        """
        told = self._snapshot
        subscription = self._dispatcher.subscribe(callback, path, told or {})
        if self._snapshot is not told:  # it moved meanwhile, and nobody told this one
            self._dispatcher.announce(self.snapshot)
        return subscription

    def unsubscribe(self, subscription: weakref.ref[Subscription]) -> None:
        """End a subscription; no call of it starts after this returns."""
        self._dispatcher.unsubscribe(subscription)

    def wait_for(self, *, version: int, timeout: float = 30.0) -> Snapshot:
        """The snapshot once `version` or a later one runs here. Raises `WaitTimeout` after `timeout` seconds."""
        with self._moved:
            self._moved.wait_for(lambda: self._is_closing or self._runs(version), timeout)
            if self._runs(version):
                return self.snapshot
        if self._is_closing:
            raise Closed
        raise WaitTimeout(f"Version {version}", timeout, str(self.status()))

    def explain(self, path: str | paths.Path) -> Explanation:
        """Where the value at `path` was written, which layers of the merge lost to it, and who published it when.

        Asks Redis, so it may wait, and it raises `Unreachable`; `UnknownPath` when there is no value.
        """
        from confbus.explanation import explain

        return explain(self._url, self._link.keys, self.snapshot, path)

    def status(self) -> Status:
        """Where this subscriber stands now."""
        follower = self._follower
        return Status(
            namespace=self.namespace,
            instance=self.instance,
            state="closed" if self._is_closing else follower.state,
            seen=stand(follower.seen),
            running=stand(follower.served),
            verified_age_s=time.monotonic() - follower.verified_at,
            error=follower.error,
            counts=replace(follower.counts),
        )

    def close(self) -> None:
        """Stop following, and tell the fleet so, within a second; the last snapshot stays readable. Safe to repeat."""
        with self._moved:
            if self._is_closing:
                return
            self._is_closing = True
            self._moved.notify_all()
        self._dispatcher.close()
        if self._thread.ident is None:
            self._link.close()
        elif self._thread is not threading.current_thread():
            self._link.wake()
            self._thread.join(_MAX_WAIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        running = self._snapshot.version if self._snapshot is not None else None
        return f"Subscriber({self.namespace!r}, version={running}, state={self.status().state!r})"

    def _follow(self) -> None:
        """The thread, until `close`. Whatever nobody foresaw is told, and begun anew as after a lost connection."""
        try:
            while not self._is_closing:
                try:
                    self._take_turn()
                except Exception as error:  # the last edge: if this thread ended, nobody would follow
                    import logging

                    logging.getLogger("confbus").exception("following %s failed and begins anew", self.namespace)
                    self._work_off(LinkLost(repr(error)))
            if self._is_reporting:
                self._link.leave()
        finally:
            self._link.close()

    def _take_turn(self) -> None:
        """Wait for the next events, carry out what the follower asks for, and tell it what came of that."""
        longest_s = _BREATH_S if self._unreported_since else _MAX_WAIT_S
        events = self._link.wait(min(self._follower.wake_at() - time.monotonic(), longest_s))
        heard = self._follower.counts.notices
        for event in events:
            self._work_off(event)
        if self._observer is not None and self._follower.counts.notices > heard:
            self._observer(self.status())
        if self._unreported_since and (not events or time.monotonic() - self._unreported_since > _MAX_WAIT_S):
            self._report()
        if self._follower.wake_at() <= time.monotonic():
            self._work_off(Ticked())

    def _work_off(self, event: Event) -> None:
        events = [event]
        while events:
            for action in self._follower.handle(events.pop(0), time.monotonic()):
                events += self._carry_out(action)

    def _carry_out(self, action: Action) -> list[Event]:
        match action:
            case Apply():
                return [self._apply(action)]
            case ReadHead():
                return self._link.read_head()
            case Fetch(head, running):
                return self._link.fetch(head, running)
            case Connect():
                return self._link.connect()
            case Ping():
                return self._link.ping()
            case _:
                # The new values come first: readers wait for the interpreter while this thread talks to Redis.
                self._unreported_since = self._unreported_since or time.monotonic()
                return []

    def _apply(self, apply: Apply) -> Event:
        try:
            assembly = candidate.assemble(apply)
        except Malformed as error:
            return Refused(apply.head, str(error), is_damage=True)
        snapshot = candidate.snapshot(apply, assembly)
        reason = candidate.objection(self._validators, snapshot)
        if reason:
            return Refused(apply.head, reason)
        # The reads come first: whoever waits for a snapshot reads as soon as there is one.
        self._find, self._read = snapshot.fast_reads()
        self._snapshot = snapshot
        with self._moved:
            self._moved.notify_all()
        self._dispatcher.announce(snapshot)
        return Applied(apply.head, assembly)

    def _report(self) -> None:
        self._unreported_since = 0.0
        status = self.status()
        if self._observer is not None:
            self._observer(status)
        if self._is_reporting:
            interval_s, validators = self._follower.timing.report_s, len(self._validators)
            facts = status.report(self._labels, interval_s=interval_s, protocol=PROTOCOL, validators=validators)
            self._link.report(facts)

    def _runs(self, version: int) -> bool:
        return self._snapshot is not None and self._snapshot.version >= version

    def _not_ready(self, _path: Any, timeout_s: float = 0.0) -> NoReturn:
        reason = "it was not started" if self._thread.ident is None else self.status().hindrance
        raise ConnectFailed(redacted(self._url), self.namespace, timeout_s, reason)


Subscriber.__getitem__ = Subscriber.__dict__["_read"]  # type: ignore[method-assign]  # as in Snapshot: no Python frame
