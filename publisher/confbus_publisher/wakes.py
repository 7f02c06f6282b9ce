"""A sleep that others end: from any thread, and from a signal handler."""

from __future__ import annotations

import queue


class Wakes:
    """One thread sleeps here; however often it was woken meanwhile, it wakes once."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[str] = queue.SimpleQueue()

    def wake(self, why: str) -> None:
        """End the sleep, or the next one when nobody sleeps now."""
        self._calls.put(why)

    def sleep(self, seconds: float) -> tuple[str, ...]:
        """Until somebody wakes it, at most so long. Returns why it was woken; nobody did when that is empty."""
        why: list[str] = []
        try:
            why.append(self._calls.get(timeout=seconds))
            while True:
                why.append(self._calls.get_nowait())
        except queue.Empty:
            return tuple(why)
