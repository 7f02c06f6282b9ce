"""What one evaluation of an expression takes, or one call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

READS = 200_000
CALLS = 20


def timer(expression: str, things: dict[str, Any], *, reads: int = READS) -> Callable[[], float]:
    """Twenty reads to a loop turn, so that the loop itself hardly counts."""
    body = "".join(f"        {expression}\n" for _ in range(20))
    scope: dict[str, Any] = {}
    exec(f"def reads(turns, {', '.join(things)}):\n    for _ in range(turns):\n{body}", scope)
    work = scope["reads"]

    def measure() -> float:
        started = time.perf_counter()
        work(reads // 20, **things)
        return (time.perf_counter() - started) / reads * 1e9

    return measure


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """Microseconds of one call, of twenty in a row."""

    def measure() -> float:
        started = time.perf_counter()
        for _ in range(CALLS):
            work()
        return (time.perf_counter() - started) / CALLS * 1e6

    return measure
