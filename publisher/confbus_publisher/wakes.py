"""A sleep that others end: from any thread, and from a signal handler."""

from __future__ import annotations

import queue


class Wakes:
    """One thread sleeps here; however often it was woken meanwhile, it wakes once."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()

    def wake(self) -> None:
        """End the sleep, or the next one when nobody sleeps now."""
        self._calls.put(None)

    def sleep(self, seconds: float) -> None:
        """Until somebody wakes it, at most so long."""
        try:
            self._calls.get(timeout=seconds)
            while True:
                self._calls.get_nowait()
        except queue.Empty:
            return
