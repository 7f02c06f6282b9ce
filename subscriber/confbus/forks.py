"""What a fork does to subscribers: in the child each begins anew, by itself, and the parent notices nothing.

The hook runs in the child alone; one before the fork would wait for locks, and run for each subprocess as well. It
starts no connection: a child that executes another program at once, as uvloop's do, pays for one short-lived thread.
"""

from __future__ import annotations

import os
import sys
import weakref

from confbus import driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

_listeners: weakref.WeakSet[Forkable] = weakref.WeakSet()
_is_watching = False
_pid = os.getpid()


if TYPE_CHECKING:

    class Forkable(Protocol):
        """What wants to know that it is in a child."""

        def postfork(self) -> None: ...


def watch(subscriber: Forkable) -> None:
    """Call its `postfork` in every child that is forked from now on."""
    global _is_watching, _pid  # noqa: PLW0603 — hooks cannot be taken back, so there is one for the life of the process
    _listeners.add(subscriber)
    if not _is_watching:
        _is_watching = True
        _pid = os.getpid()
        os.register_at_fork(after_in_child=_in_child)
        _watch_uwsgi()


def _in_child() -> None:
    """Once in each child, whichever of the hooks come."""
    global _pid  # noqa: PLW0603 — as the process is
    if _pid == os.getpid():
        return
    _pid = os.getpid()
    driver.abandon_all()
    for subscriber in list(_listeners):
        subscriber.postfork()


def _watch_uwsgi() -> None:
    """UWSGI forks without Python's hooks, and has one of its own."""
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is None:
        return
    previous = getattr(uwsgi, "post_fork_hook", None)

    def hook() -> None:
        if previous is not None:
            previous()
        _in_child()

    uwsgi.post_fork_hook = hook
