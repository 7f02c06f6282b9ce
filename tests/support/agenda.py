"""Who acts when, in a world whose clock is moved by hand."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Agenda:
    """Call it for the time in seconds. `run` carries out what is due, in order; equal times go first come, first
    served, so that one seed always tells one story."""

    def __init__(self, now_s: float = 1_750_000_000.0) -> None:
        self.now_s = now_s
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0

    def __call__(self) -> float:
        return self.now_s

    def after(self, delay_s: float, act: Callable[[], object]) -> None:
        self._count += 1
        heapq.heappush(self._due, (self.now_s + delay_s, self._count, act))

    def run(self, until_s: float) -> None:
        """Carry out everything due before `until_s`. What is carried out may itself call this to let time pass."""
        while self._due and self._due[0][0] < until_s:
            at_s, _, act = heapq.heappop(self._due)
            self.now_s = max(self.now_s, at_s)
            act()
        self.now_s = max(self.now_s, until_s)
