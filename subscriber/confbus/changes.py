"""Calling people back when values change: each subscription has a queue of one, the newest snapshot.

A slow callback delays only itself and then sees one change from what it saw last to what is newest. Callbacks run on
at most four daemon threads that start when first needed; none is ever interrupted.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque

from confbus.wire.diff import Change, diff
from confbus.wire.path import Pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from logging import Logger
    from typing import Any

Callback = "Callable[[list[Change]], object]"
MAX_THREADS = 4
SLOW_S = 1.0
ENTER_S = 0.1


class Subscription:
    """One callback, the pattern it cares for, and the snapshot it was last told of."""

    __slots__ = (
        "__weakref__",
        "_callback",
        "_lock",
        "_pattern",
        "is_closed",
        "is_queued",
        "latest",
        "started_at",
        "told",
    )

    def __init__(self, callback: Callable[[list[Change]], object], pattern: str, told: Mapping[str, Any]) -> None:
        # A bound method must not keep its object alive; a lambda or local function has nobody else to keep it.
        is_method = hasattr(callback, "__self__") and hasattr(callback, "__func__")
        self._callback: Callable[[], Any] = weakref.WeakMethod(callback) if is_method else lambda: callback
        self._pattern = Pattern(pattern)
        self._lock = threading.RLock()
        self.told = self.latest = told
        self.is_closed = self.is_queued = False
        self.started_at: float | None = None

    @property
    def name(self) -> str:
        callback = self._callback()
        return getattr(callback, "__qualname__", repr(callback))

    @property
    def is_dead(self) -> bool:
        return self.is_closed or self._callback() is None

    def close(self) -> None:
        """No call starts after this returns; one that runs already is not waited for, or not for long."""
        # Somebody else who has the lock is in a call, or about to enter it: by the end of this wait he has entered.
        is_mine = self._lock.acquire(timeout=ENTER_S)
        self.is_closed = True
        if is_mine:
            self._lock.release()

    def renew(self) -> None:
        """In a forked child: a call that ran in the parent does not run here."""
        self._lock = threading.RLock()
        self.started_at = None
        self.is_queued = False

    def deliver(self) -> None:
        """Tell the callback what changed since it was last told, if anything that it cares for did."""
        callback = self._callback()
        told, self.told = self.told, self.latest
        try:
            changes = [change for change in diff(told, self.told) if self._pattern.matches(change.parts)]
            if changes and callback is not None:
                self._call(callback, changes)
        except (Exception, SystemExit):  # noqa: BLE001 — a user's code; it must not end the thread that others need
            _log().exception("a callback failed", extra={"callback": self.name})
        finally:
            self._finish()

    def _call(self, callback: Callable[[list[Change]], object], changes: list[Change]) -> None:
        with self._lock:
            if not self.is_closed:
                self.started_at = time.monotonic()
                callback(changes)

    def _finish(self) -> None:
        started, self.started_at = self.started_at, None
        took_s = time.monotonic() - started if started is not None else 0.0
        if took_s > SLOW_S:
            _log().warning("a callback was slow: %.1f s", took_s, extra={"callback": self.name})


class Dispatcher:
    """The subscriptions of one subscriber, and the few threads that serve them."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []
        self._queue: deque[Subscription] = deque()
        self._ready = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._is_closed = False

    def subscribe(
        self, callback: Callable[[list[Change]], object], pattern: str, told: Mapping[str, Any]
    ) -> weakref.ref[Subscription]:
        subscription = Subscription(callback, pattern, told)
        with self._ready:
            self._subscriptions.append(subscription)
        return weakref.ref(subscription)

    def unsubscribe(self, reference: weakref.ref[Subscription]) -> None:
        subscription = reference()
        if subscription is None:
            return
        subscription.close()
        with self._ready:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def announce(self, snapshot: Mapping[str, Any]) -> None:
        """Queue every subscription for `snapshot`; returns at once."""
        if not self._subscriptions:
            return
        with self._ready:
            self._subscriptions = [each for each in self._subscriptions if not each.is_dead]
            for subscription in self._subscriptions:
                subscription.latest = snapshot
                self._report_hanging(subscription)
                if not subscription.is_queued:
                    subscription.is_queued = True
                    self._queue.append(subscription)
                    self._serve()
            self._ready.notify_all()

    def renew(self) -> None:
        """In a forked child: the threads are gone, and with them whatever was queued; subscriptions stay."""
        self._ready = threading.Condition()
        self._queue = deque()
        self._threads = self._idle = 0
        for subscription in self._subscriptions:
            subscription.renew()

    def close(self) -> None:
        """Start no more calls; those that run are left alone."""
        with self._ready:
            self._is_closed = True
            for subscription in self._subscriptions:
                subscription.is_closed = True
            self._subscriptions = []
            self._queue.clear()
            self._ready.notify_all()

    def _serve(self) -> None:
        if self._idle < len(self._queue) and self._threads < MAX_THREADS:
            self._threads += 1
            threading.Thread(target=self._work, name="confbus-callbacks", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._ready:
                self._idle += 1
                while not self._queue and not self._is_closed:
                    self._ready.wait()
                self._idle -= 1
                if self._is_closed:
                    self._threads -= 1
                    return
                subscription = self._queue.popleft()
            subscription.deliver()
            with self._ready:
                subscription.is_queued = False
                if subscription.latest is not subscription.told and not subscription.is_dead:
                    subscription.is_queued = True
                    self._queue.append(subscription)

    def _report_hanging(self, subscription: Subscription) -> None:
        started = subscription.started_at
        if started is not None and time.monotonic() - started > SLOW_S:
            _log().warning(
                "a callback still runs since %.1f s", time.monotonic() - started, extra={"callback": subscription.name}
            )


def _log() -> Logger:
    import logging  # a process whose callbacks behave does not pay for it at its start

    return logging.getLogger("confbus")
