"""How a subscriber begins: at once, from disk, when somebody reads first, and anew in every forked child.

In the child it is another instance with connections of its own, and goes on reading what the parent read last.
"""

from __future__ import annotations

import _thread
import os

from confbus import forks
from confbus.errors import ConfigRefused, ConnectFailed, Malformed
from confbus.names import host_name
from confbus.reads import Reads
from confbus.start import Wait, checked, restore, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NoReturn, Self

    from confbus.dial import Dial
    from confbus.driver import Driver
    from confbus.fallback import Fallback
    from confbus.following import Following
    from confbus.start import Policy, Restored
    from confbus.status import Status
    from confbus.wire.snapshot import Snapshot


class Beginning(Reads):
    """The part of a subscriber that starts it. What it starts, the subscriber says: `_make_following`."""

    __slots__ = (
        "__weakref__",
        "_dial",
        "_driver",
        "_fallback",
        "_following",
        "_has_waited",
        "_is_closing",
        "_is_wanted",
        "_lock",
        "_patience_s",
        "_pid",
        "_policy",
        "_restored",
        "namespace",
    )

    if TYPE_CHECKING:

        def _make_following(self, instance: str) -> Following: ...
        def status(self) -> Status: ...

    def __init__(
        self, namespace: str, dial: Dial, fallback: Fallback | None, validators: Iterable[Callable[[Snapshot], object]]
    ) -> None:
        super().__init__(validators=validators)
        self.namespace = namespace
        self._dial = dial
        self._fallback = fallback
        self._restored: Restored | None = None
        self._following: Following | None = None
        self._driver: Driver | None = None
        self._lock = _thread.RLock()
        self._pid = os.getpid()
        self._is_closing = self._is_wanted = self._has_waited = False
        self._policy: Policy = "wait"
        self._patience_s: float | None = None
        forks.watch(self)

    def start(self, policy: Policy = "wait", *, timeout_s: float = 30.0) -> Self:
        """Begin to follow, and return when there is a snapshot to read.

        `wait` asks Redis until `timeout_s` is over, and then takes the last known good from the `fallback`. `cached`
        takes that at once when there is one. `fail` takes nothing from disk, and gives up at the first setback.

        Raises `ConnectFailed` when no snapshot comes, and `ConfigRefused` when a view or a validator refuses what
        comes, and everything that ran before as well.
        """
        wait = self._begin_with(policy, timeout_s)
        if wait is not None:
            self._local.wait_for(wait.is_over, timeout_s)
            wait.conclude(where=self._dial.where)
        return self

    async def start_async(self, policy: Policy = "wait", *, timeout_s: float = 30.0) -> Self:
        """As `start`, while the event loop goes on."""
        from asyncio import to_thread

        from confbus.awaiting import moved

        wait = await to_thread(self._begin_with, policy, timeout_s)
        if wait is not None:
            await moved(self._local, wait.is_over, timeout_s)
            await to_thread(wait.conclude, where=self._dial.where)
        return self

    def follow(self) -> Self:
        """Begin to follow, and return at once; reading raises `ConnectFailed` until the first snapshot is there."""
        from confbus import driver

        with self._lock:
            self._is_wanted = True
            if self._driver is None and not self._is_closing:
                self._driver = driver.drive(self._dial, self._engine())
        return self

    def start_when_read(self, policy: Policy = "wait", *, timeout_s: float = 30.0) -> Self:
        """Connect nothing in this process until somebody reads. The first read is a `start`, with its errors; while
        that failed, later ones raise at once. A forked child begins by itself."""
        checked(policy)
        self._policy = policy
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
        self._lock = _thread.RLock()
        self._local.renew()
        self._fallback = self._fallback and self._fallback.renewed()
        self._following = self._following and self._following.renewed(new_instance(), self._fallback)
        self._driver = None
        self._has_waited = False
        if (self._is_wanted or self._patience_s is not None) and not self._is_closing:
            self._begin_soon()

    def _begin_with(self, policy: Policy, timeout_s: float) -> Wait | None:
        """Read what is on disk, or begin to follow; what is then to be waited for, if anything."""
        checked(policy)
        if policy == "cached" and self._restore():
            self._is_wanted = True
            self._begin_soon()  # the first reads come first
            return None
        self.follow()
        return Wait(self._local, self._engine(), policy, timeout_s)

    def _first_snapshot(self) -> Snapshot:
        """What `start_when_read` promises to the first who read; all others are told what hinders."""
        is_there = self._local.snapshot is not None  # as in a child of who has read: it waits for nothing
        if not is_there and self._is_judging():
            reason = "a view or a validator of it asks for what it is judging; it is given the snapshot"
            raise ConnectFailed(self._dial.where, self.namespace, 0.0, reason)
        if not is_there and self._patience_s is not None and not self._has_waited:
            try:
                self.start(self._policy, timeout_s=self._patience_s)
            finally:
                self._has_waited = True
        snapshot = self._local.snapshot
        return self._not_ready() if snapshot is None else snapshot

    def _is_judging(self) -> bool:
        """True in the thread that follows."""
        with self._lock:  # it may be at work before whoever started it knows of it
            return self._driver is not None and self._driver.is_here

    def _begin_soon(self) -> None:
        """Follow, once the child has taken its breath; where no thread can be started, the next read tries again."""
        if not forks.call_soon(self._begin) and self._local.snapshot is not None:
            self._read_by(lambda path, default: self._begun().get(path, default), lambda path: self._begun()[path])

    def _begin(self) -> None:
        self.follow()
        self._local.announce()  # what the parent's threads had not told yet

    def _begun(self) -> Snapshot:
        with self._local.changing:  # or another thread's newer snapshot would be put back
            snapshot = self._first_snapshot()
            self._swap(snapshot)
            self._begin_soon()
        return snapshot

    def _engine(self) -> Following:
        """What follows, made when it is needed: a process that starts from disk reads its first values before."""
        with self._lock:
            if self._following is None:
                self._following = self._make_following(new_instance())
                if self._restored is not None:
                    self._following.stand_at(self._restored)
            return self._following

    def _restore(self) -> bool:
        """Read the last known good from disk; False when there is none that can be read."""
        if self._fallback is None:
            return False
        try:
            self._restored = restore(self._local, self._fallback)
        except (Malformed, ConfigRefused) as error:
            told(error)
        return self._restored is not None

    def _not_ready(self) -> NoReturn:
        reason = self.status().hindrance if self._is_wanted else "it was not started"
        raise ConnectFailed(self._dial.where, self.namespace, 0.0, reason)


def new_instance() -> str:
    """A name for the fleet that no other process has, nor this one before a fork."""
    return f"{host_name()}:{os.getpid()}:{os.urandom(3).hex()}"
