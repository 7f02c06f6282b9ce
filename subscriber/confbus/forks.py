"""What a fork does to subscribers: in the child each begins anew, by itself, and the parent notices nothing.

The hook runs in the child alone; before a fork nothing is waited for but imports (`importing`). It makes no connection:
a child that executes another program at once, as uvloop's do, pays for one short-lived thread.
"""

from __future__ import annotations

import _thread
import os
import sys
import time
from _weakrefset import WeakSet  # what `weakref` gives, and all that is needed of it

from confbus import importing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

BREATH_S = 0.05
"""How long a forked child must live before it counts as a worker: most children execute another program at once."""
_AGAIN_S = 1.0
_LONG_S = 3600.0
_start_new_thread = _thread.start_new_thread

_listeners: WeakSet[Forkable] = WeakSet()
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
        importing.watch()
        os.register_at_fork(after_in_child=in_child)
        if "uwsgi" in sys.modules:  # which forks without Python's hooks
            from confbus import uwsgi_hook

            uwsgi_hook.install(in_child)


def watched() -> list[Forkable]:
    """Those that are still there, as far as nobody else has let them go."""
    return list(_listeners)


def in_child() -> None:
    """Once in each child, whichever of the hooks come."""
    global _pid  # noqa: PLW0603 — as the process is
    if _pid == os.getpid():
        return
    _pid = os.getpid()
    driver = sys.modules.get("confbus.driver")
    if driver is not None:  # else nobody in this process ever followed
        driver.abandon_all()
    for subscriber in list(_listeners):
        subscriber.postfork()


def call_soon(begin: Callable[[], object]) -> bool:
    """Call `begin` once this child has taken its breath, on a thread of its own; False when there can be none.

    A limit of threads may pass, so `begin` is called again until it raises no `RuntimeError`.
    """
    try:
        _thread.start_new_thread(_call, (begin,))
    except RuntimeError:
        return False
    return True


def _call(begin: Callable[[], object]) -> None:
    time.sleep(BREATH_S)
    is_told = False
    while not sys.is_finalizing():
        try:
            begin()
            break
        except RuntimeError as error:  # no thread can be started: a limit, or the end of the interpreter
            if not is_told and "shutdown" not in str(error):
                is_told = True
                import logging

                logging.getLogger("confbus").warning("this process does not follow yet: %s", error)
            time.sleep(_AGAIN_S)
    # A server that patches threads after the fork, as gunicorn's gevent workers do when preloaded, has made a greenlet
    # of the one that follows. It runs in this thread, and as long as this does.
    while _thread.start_new_thread is not _start_new_thread:
        time.sleep(_LONG_S)
