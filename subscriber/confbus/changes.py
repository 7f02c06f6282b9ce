"""Calling people back when values change: each subscription has a queue of one, the newest snapshot.

A slow callback delays only itself and then sees one change from what it saw last to what is newest. Callbacks run on
daemon threads that start when first needed; none is ever interrupted. Four are enough while callbacks return; for those
that hang, others take over one after the other.
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

    from confbus.measures import Measures

Callback = "Callable[[list[Change]], object]"
MAX_THREADS = 4
SLOW_S = 1.0
ENTER_S = 0.1
_NOTHING: Mapping[str, Any] = {}
"""What is read before the first snapshot."""


class Subscription:
    """One callback, the pattern it cares for, and the snapshot it was last told of."""

    __slots__ = (
        "__weakref__",
        "_callback",
        "_lock",
        "_pattern",
        "has_failed",
        "is_closed",
        "is_queued",
        "is_reported",
        "latest",
        "started_at",
        "teller",
        "told",
        "told_before",
        "took_s",
    )

    def __init__(self, callback: Callable[[list[Change]], object], pattern: str) -> None:
        # A bound method must not keep its object alive; a lambda or local function has nobody else to keep it.
        is_method = hasattr(callback, "__self__") and hasattr(callback, "__func__")
        self._callback: Callable[[], Any] = weakref.WeakMethod(callback) if is_method else lambda: callback
        self._pattern = Pattern(pattern)
        self._lock = threading.RLock()
        self.told = self.told_before = self.latest = _NOTHING
        self.teller = 0
        self.is_closed = self.is_queued = self.is_reported = False
        self.started_at: float | None = None
        self.took_s: float | None = None
        self.has_failed = False

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
        """In a forked child: a call that ran in another thread of the parent ends nowhere, and is due again."""
        self._lock = threading.RLock()
        self.started_at = None
        self.is_queued = False
        if self.teller not in {0, threading.get_ident()}:  # a callback that forks goes on in the child
            self.told = self.told_before
            self.teller = 0

    def deliver(self) -> None:
        """Tell the callback what changed since it was last told, if anything that it cares for did. Afterwards `took_s`
        says how long it took, None when there was nothing to tell, and `has_failed` whether it raised."""
        callback = self._callback()
        self.has_failed = False
        told = self.told_before = self.told
        self.teller = threading.get_ident()
        self.told = self.latest
        try:
            changes = [change for change in diff(told, self.told) if self._pattern.matches(change.parts)]
            if changes and callback is not None:
                self._call(callback, changes)
        except BaseException:  # noqa: BLE001 — a user's code; it must not end the thread that others need
            self.has_failed = True
            _log().exception("a callback failed", extra={"callback": self.name})
        finally:
            self._finish()

    def _call(self, callback: Callable[[list[Change]], object], changes: list[Change]) -> None:
        with self._lock:
            if not self.is_closed:
                self.is_reported = False
                self.started_at = time.monotonic()
                callback(changes)

    def hangs_unreported(self) -> bool:
        """True once for each call that takes long."""
        started = self.started_at
        if started is None or self.is_reported or time.monotonic() - started <= SLOW_S:
            return False
        self.is_reported = True
        return True

    def _finish(self) -> None:
        started, self.started_at = self.started_at, None
        self.teller = 0
        self.took_s = None if started is None else time.monotonic() - started
        if self.took_s is not None and self.took_s > SLOW_S:
            _log().warning("a callback was slow: %.1f s", self.took_s, extra={"callback": self.name})


class Dispatcher:
    """The subscriptions of one subscriber, and the few threads that serve them. `newest` tells the newest snapshot;
    `measures`, once they are there, hear of each call."""

    measures: Measures | None = None

    def __init__(self, newest: Callable[[], Mapping[str, Any] | None]) -> None:
        self._newest = newest
        self._subscriptions: list[Subscription] = []
        self._queue: deque[Subscription] = deque()
        self._ready = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._is_patient = False
        self._is_closed = False

    def subscribe(self, callback: Callable[[list[Change]], object], pattern: str) -> weakref.ref[Subscription]:
        """Tell `callback` of each change from now on."""
        subscription = Subscription(callback, pattern)
        with self._ready:
            # First in the list, then up to date: whoever announces meanwhile finds it, or it finds what he announces.
            self._subscriptions.append(subscription)
            subscription.told = subscription.latest = self._now()
        return weakref.ref(subscription)

    def unsubscribe(self, reference: weakref.ref[Subscription]) -> None:
        subscription = reference()
        if subscription is None:
            return
        subscription.close()
        with self._ready:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def announce(self) -> None:
        """Queue every subscription that was not told of the newest snapshot; returns at once."""
        if not self._subscriptions:
            return
        with self._ready:
            # Looked up here and not passed: of two who announce, the later one may have the older snapshot.
            newest = self._now()
            self._subscriptions = [each for each in self._subscriptions if not each.is_dead]
            for subscription in self._subscriptions:
                subscription.latest = newest
                if not subscription.is_queued and subscription.told is not newest:
                    subscription.is_queued = True
                    self._queue.append(subscription)
                    self._serve()
            self._ready.notify_all()
            hanging = [each for each in self._subscriptions if each.hangs_unreported()]
        for subscription in hanging:
            _log().warning("a callback still runs after %.1f s", SLOW_S, extra={"callback": subscription.name})

    def renew(self) -> None:
        """In a forked child: the threads are gone, and with them whatever was queued; subscriptions stay."""
        self._ready = threading.Condition()
        self._queue = deque()
        self._threads = self._idle = 0
        self._is_patient = False
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

    def _now(self) -> Mapping[str, Any]:
        newest = self._newest()
        return _NOTHING if newest is None else newest

    def _serve(self) -> None:
        """See to it that somebody takes what is queued: at once while there is room, else once it is clear that those
        at work hang. A subscription keeps one thread at most, so there are never more of these than of those."""
        if self._idle >= len(self._queue) or self._is_patient:
            return
        self._is_patient = self._threads >= MAX_THREADS
        work = self._take_over if self._is_patient else self._work
        self._threads += 1
        try:
            threading.Thread(target=work, name="confbus-callbacks", daemon=True).start()
        except RuntimeError:  # the process ends, or may have no more threads
            self._threads -= 1
            self._is_patient = False

    def _take_over(self) -> None:
        with self._ready:
            self._ready.wait_for(lambda: self._is_closed or not self._queue, SLOW_S)
            self._is_patient = False
        self._work()

    def _work(self) -> None:
        while (subscription := self._next()) is not None:
            subscription.deliver()
            with self._ready:
                if self.measures is not None and subscription.took_s is not None:
                    self.measures.called(subscription.took_s, has_failed=subscription.has_failed)
                subscription.is_queued = False
                if subscription.latest is not subscription.told and not subscription.is_dead:
                    subscription.is_queued = True
                    self._queue.append(subscription)

    def _next(self) -> Subscription | None:
        """What to deliver next; None for a thread that is not needed any more."""
        with self._ready:
            self._idle += 1
            while not self._queue and not self._is_closed and self._threads <= MAX_THREADS:
                self._ready.wait()
            self._idle -= 1
            if self._is_closed or not self._queue:
                self._threads -= 1
                return None
            subscription = self._queue.popleft()
            self._serve()
            return subscription


def _log() -> Logger:
    import logging  # a process whose callbacks behave does not pay for it at its start

    return logging.getLogger("confbus")
