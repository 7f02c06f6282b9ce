"""The threads that follow: one for each server, shared by the subscribers of this process that follow its namespaces.

Two subscribers of the same namespace have a thread each, so that a channel belongs to one of them. In a forked child
there are none: its subscribers begin anew.
"""

from __future__ import annotations

import atexit
import threading
import time

from confbus.events import LinkLost
from confbus.link import EVERYBODY, Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from confbus.dial import Dial
    from confbus.following import Following
    from confbus.link import News

_MAX_WAIT_S = 1.0
_EXIT_S = 0.5
"""How long a process that ends may be kept by all that it followed."""
_drivers: list[Driver] = []
_lock = threading.Lock()


class Driver:
    """One thread and its connections. It ends with the last one that it drives."""

    def __init__(self, dial: Dial, first: Following) -> None:
        self.key = dial.key
        self._link = Link(dial, f"confbus:{first.instance}")
        self._driven: dict[str, Following] = {}
        self._thread = threading.Thread(target=self._run, name=f"confbus-{first.keys.namespace}", daemon=True)
        self.admit(first)
        _drivers.append(self)  # before its thread opens anything, which a child would have to close
        try:
            self._thread.start()
        except RuntimeError:
            _drivers.remove(self)
            self._link.close()
            raise

    @property
    def is_here(self) -> bool:
        """True in its own thread."""
        return threading.current_thread() is self._thread

    def admits(self, key: object, channel: str) -> bool:
        return self.key == key and channel not in self._driven

    @property
    def driven(self) -> list[Following]:
        return list(self._driven.values())

    def admit(self, following: Following) -> None:
        following.join(self._link)
        self._driven = {**self._driven, following.channel: following}  # never in place: the thread may look just now
        self._link.wake()

    def dismiss(self, following: Following, *, timeout_s: float = _MAX_WAIT_S) -> None:
        """Drive it no more; returns when it took leave of the fleet, or after `timeout_s`."""
        if following.gone.is_set():  # the process ends, and it left already
            return
        following.is_leaving = True
        self._link.wake()
        if threading.current_thread() is not self._thread:
            following.gone.wait(timeout_s)

    def abandon(self) -> None:
        """In a forked child, where its thread is none any more; or is the one that forked, and ends here."""
        self._driven = {}
        self._link.abandon()

    def _run(self) -> None:
        """The thread. Whatever nobody foresaw is told, and begun anew as after a lost connection."""
        try:
            while self._driven:
                try:
                    self._take_turn()
                except Exception as error:  # the last edge: if this thread ended, nobody would follow
                    import logging

                    logging.getLogger("confbus").exception("following %s failed and begins anew", *self._driven)
                    self._deliver([(EVERYBODY, LinkLost(repr(error)))])
                self._part()
        finally:
            self._link.close()

    def _take_turn(self) -> None:
        """Wait for what happens next, tell it to those it concerns, and let each do what is due."""
        due_at = min(following.due_at() for following in self._driven.values())
        news = self._link.wait(min(due_at - time.monotonic(), _MAX_WAIT_S))
        self._deliver(news)
        for following in self._driven.values():
            self._deliver(following.settle(is_quiet=not news))

    def _deliver(self, news: News) -> None:
        pending = list(news)
        while pending:
            channel, event = pending.pop(0)
            for following in self._driven.values():
                if channel in {EVERYBODY, following.channel}:
                    pending += following.take(event)

    def _part(self) -> None:
        """Take leave of those that want no more."""
        leaving = [following for following in self._driven.values() if following.is_leaving]
        for following in leaving:
            following.leave()
        if leaving:
            with _lock:
                self._driven = {name: each for name, each in self._driven.items() if each not in leaving}
                if not self._driven:
                    _drivers.remove(self)
        for following in leaving:
            following.gone.set()


def drive(dial: Dial, following: Following) -> Driver:
    """Let `following` follow, in the thread of its server if there is one that has room for its channel."""
    with _lock:
        for driver in _drivers:
            if driver.admits(dial.key, following.channel):
                driver.admit(following)
                return driver
        return Driver(dial, following)


def driven_from(key: object) -> list[Following]:
    """All that this process follows from the server whose dial has `key`."""
    with _lock:
        return [following for driver in _drivers if driver.key == key for following in driver.driven]


def abandon_all() -> None:
    """In a forked child: drop what was the parent's."""
    global _lock  # noqa: PLW0603 — a thread of the parent may have held it, and would hold it for ever
    _lock = threading.Lock()
    abandoned = _drivers.copy()
    _drivers.clear()
    for driver in abandoned:
        driver.abandon()


@atexit.register
def depart() -> None:
    """Take leave of the fleet when the interpreter ends in order, for a process that is gone would be waited for."""
    leaving = [(driver, following) for driver in _drivers.copy() for following in driver.driven]
    for driver, following in leaving:
        driver.dismiss(following, timeout_s=0.0)
    deadline = time.monotonic() + _EXIT_S
    for _, following in leaving:
        following.gone.wait(max(deadline - time.monotonic(), 0.0))
