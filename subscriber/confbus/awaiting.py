"""Waiting for the local copy in an event loop, which goes on meanwhile. No thread waits in its place."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.local import Local


async def moved(local: Local, is_over: Callable[[], bool], timeout_s: float | None = None) -> bool:
    """Wait until `is_over`, which is asked whenever the local copy moved; False when `timeout_s` was over first."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(told.set)
        except RuntimeError:  # the loop was closed with this task in it
            local.unlisten(wake)

    local.listen(wake)
    try:
        async with asyncio.timeout(timeout_s):
            while not is_over():
                await told.wait()
                told.clear()
    except TimeoutError:
        return is_over()
    finally:
        local.unlisten(wake)
    return True
