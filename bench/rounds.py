"""Interleaved rounds: every contestant runs once a round, in random order, so that a slow moment hurts all alike."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a contestant's median and best, in `unit`, and its median as a ratio to the floor's."""

    name: str
    median: float
    best: float
    ratio: float
    unit: str
    target: str = ""

    def __str__(self) -> str:
        shown = f"{self.name:58} {self.median:9.3f} {self.best:9.3f} {self.unit:3} {self.ratio:6.2f}x"
        return f"{shown}  {self.target}"


def interleave(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The figures that each contestant returned, one a round."""
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    shuffle = random.Random(7).shuffle
    for _ in range(rounds):
        shuffle(names)
        for name in names:
            figures[name].append(contestants[name]())
    return figures


def rows(figures: Mapping[str, list[float]], *, unit: str, targets: Mapping[str, str]) -> list[Row]:
    """A row for each contestant; the first one is the floor."""
    floor = statistics.median(next(iter(figures.values())))
    return [
        Row(name, (median := statistics.median(values)), min(values), median / floor, unit, targets.get(name, ""))
        for name, values in figures.items()
    ]
