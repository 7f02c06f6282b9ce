"""Coroutine functions as callbacks: run on the event loop that subscribed them."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as Late
from typing import TYPE_CHECKING, Any, cast

from confbus.errors import NotStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from confbus.wire.diff import Change

    Plain = Callable[[list[Change]], object]

_LOOK_S = 0.5


def on_its_loop(callback: Plain) -> Plain:
    """`callback` itself, or for a coroutine function one that runs it on the loop that runs here and waits for it.

    Raises `NotStarted` for a coroutine function when no loop runs here.
    """
    if not inspect.iscoroutinefunction(callback):
        return callback
    try:
        return _OnLoop(callback, asyncio.get_running_loop())
    except RuntimeError:
        advice = "Subscribe it inside a coroutine, or give a plain function."
        raise NotStarted("No event loop runs here to call a coroutine function on", advice=advice) from None


class _OnLoop:
    """Called on a thread of callbacks; returns when the coroutine ended or its loop did. Keeps no object alive by a
    method of it, as no subscription does."""

    def __init__(self, callback: Callable[..., Any], loop: asyncio.AbstractEventLoop) -> None:
        is_method = inspect.ismethod(callback)
        self._callback: Callable[[], Any] = weakref.WeakMethod(callback) if is_method else lambda: callback
        self._loop = loop
        self.__qualname__ = getattr(callback, "__qualname__", repr(callback))

    def __call__(self, changes: list[Change]) -> None:
        callback = self._callback()
        if callback is None or self._loop.is_closed():
            return
        coroutine = cast("Coroutine[Any, Any, object]", callback(changes))
        try:
            running = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:  # The loop was closed just now.
            coroutine.close()
            return
        while not self._loop.is_closed():
            try:
                running.result(_LOOK_S)
            except Late:
                if running.done():
                    raise
            except CancelledError:
                return
            else:
                return
