"""How a subscriber begins by itself: when somebody reads first, and anew in every forked child.

In the child it is another instance with connections of its own, and goes on reading what the parent read last.
"""

from __future__ import annotations

import os
import threading

from confbus import forks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn, Self

    from confbus.driver import Driver
    from confbus.following import Following
    from confbus.local import Local
    from confbus.wire.snapshot import Snapshot


class Beginning:
    """The part of a subscriber that starts it. What it starts, the subscriber says."""

    __slots__ = (
        "__weakref__",
        "_driver",
        "_following",
        "_has_waited",
        "_is_closing",
        "_is_wanted",
        "_local",
        "_lock",
        "_patience_s",
        "_pid",
    )

    if TYPE_CHECKING:

        def start(self, *, timeout_s: float = ...) -> object: ...
        def follow(self) -> object: ...
        def _swap(self, snapshot: Snapshot) -> None: ...
        def _read_by(self, find: Callable[[Any, Any], Any], read: Callable[[Any], Any]) -> None: ...
        def _not_ready(self, _path: Any, timeout_s: float = ...) -> NoReturn: ...

    def __init__(self, local: Local, following: Following) -> None:
        self._local = local
        self._following = following
        self._driver: Driver | None = None
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._is_closing = self._is_wanted = self._has_waited = False
        self._patience_s: float | None = None
        forks.watch(self)

    def start_when_read(self, *, timeout_s: float = 30.0) -> Self:
        """Connect nothing in this process until somebody reads. The first read is a `start`, with its errors; while
        that failed, later ones raise at once. A forked child begins by itself."""
        self._patience_s = timeout_s
        return self

    def postfork(self) -> None:
        """Begin anew in a forked child. Called by itself wherever Python or uWSGI forks, in each child that lives for
        a twentieth of a second; harmless to repeat."""
        if self._pid == os.getpid():
            return
        forks.in_child()  # where no hook ran: it lets go of what is the parent's, and comes back here
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._local.renew()
        self._following = self._following.renewed(new_instance())
        self._driver = None
        self._has_waited = False
        if (self._is_wanted or self._patience_s is not None) and not self._is_closing:
            self._begin_soon()

    def _first_snapshot(self) -> Snapshot:
        """What `start_when_read` promises to the first who read; all others are told what hinders."""
        if self._patience_s is not None and not self._has_waited:
            try:
                self.start(timeout_s=self._patience_s)
            finally:
                self._has_waited = True
        return self._local.snapshot or self._not_ready("")

    def _begin_soon(self) -> None:
        """Follow, once the child has taken its breath; where no thread can be started, the next read tries again."""
        if not forks.call_soon(self._begin) and self._local.snapshot is not None:
            self._read_by(lambda path, default: self._begun().get(path, default), lambda path: self._begun()[path])

    def _begin(self) -> None:
        self.follow()
        self._local.dispatcher.announce()  # what the parent's threads had not told yet

    def _begun(self) -> Snapshot:
        with self._local.changing:  # or another thread's newer snapshot would be put back
            snapshot = self._first_snapshot()
            self._swap(snapshot)
            self._begin_soon()
        return snapshot


def new_instance() -> str:
    """A name for the fleet that no other process has, nor this one before a fork."""
    return f"{os.uname().nodename}:{os.getpid()}:{os.urandom(3).hex()}"
