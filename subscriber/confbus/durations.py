"""How long something took, each time: plain counts in buckets, which any thread may read. Whoever adds is alone."""

from __future__ import annotations

from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

QUICK_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""From a small change of one section to a callback that hangs."""


class Durations:
    """`counts` has how many took at most as long as the bound in the same place, and longer than the one before; the
    last is for those above all bounds. `total_s` is what they took together."""

    __slots__ = ("bounds_s", "counts", "total_s")

    def __init__(self, bounds_s: Sequence[float] = QUICK_S) -> None:
        self.bounds_s = bounds_s
        self.counts = [0] * (len(bounds_s) + 1)
        self.total_s = 0.0

    def add(self, took_s: float) -> None:
        """Count one more."""
        self.counts[bisect_left(self.bounds_s, took_s)] += 1
        self.total_s += took_s
