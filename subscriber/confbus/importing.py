"""Imports in the thread that follows, which a fork waits for.

A child that was forked in the middle of an import of another thread would wait for the lock of that import for ever.
So whatever that thread imports when first needed, it imports under `guard`, which every fork takes for its moment. It
is the one thing that happens before a fork; while nothing is imported it costs nothing.
"""

from __future__ import annotations

import _thread
import os

guard = _thread.RLock()
_MAX_WAIT_S = 5.0
_taken = False


def watch() -> None:
    """Let every fork from now on wait for imports under `guard`."""
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)


def _before() -> None:
    global _taken  # noqa: PLW0603 — hooks take no arguments; whoever has the guard is alone here
    _taken = guard.acquire(timeout=_MAX_WAIT_S)


def _in_parent() -> None:
    if _taken:
        guard.release()


def _in_child() -> None:
    global guard  # noqa: PLW0603 — who had it is another thread now, or none
    guard = _thread.RLock()
