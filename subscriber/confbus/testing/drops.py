"""Which notices are lost: so many, or a share of them by lot."""

from __future__ import annotations

import random


class Drops:
    """A lot that can be drawn again: the same seed loses the same ones."""

    def __init__(self, count: int | None, *, share: float, seed: int) -> None:
        self._left = float("inf") if count is None else count
        self._share = share
        self._lot = random.Random(seed)  # noqa: S311 — no secret depends on it

    def next(self) -> bool:
        """Whether the next one is lost."""
        self._left -= 1
        return self._left >= 0 and self._lot.random() < self._share
