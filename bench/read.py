"""What one read costs, beside plain dicts.

Two reads of exact dicts are two instructions that the interpreter has specialised. `snapshot["a.b"]` is one call: the
type's slot finds `__getitem__`, binds it, calls it. That alone costs more than 1.2 times the two instructions; only
what spares the binding (a section held, or the bound method held) comes to that.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bench.rounds import Row, interleave, rows
from bench.worlds import published

if TYPE_CHECKING:
    from collections.abc import Callable

_READS = 200_000


def run() -> list[Row]:
    """Nanoseconds for each way to read one value two levels deep."""
    with published({"a": {"b": 1, "c": 2}, "x": {"y": 3}}) as config:
        things: dict[str, Any] = {
            "d": {"a": {"b": 1, "c": 2}, "x": {"y": 3}},
            "config": config,
            "snapshot": config.snapshot,
            "section": config.section("a"),
            "read": config.snapshot.__getitem__,
            "get": config.get,
        }
        contestants = {
            'd["a"]["b"]': _timer('d["a"]["b"]', things),
            'config["a.b"]': _timer('config["a.b"]', things),
            'snapshot["a.b"]': _timer('snapshot["a.b"]', things),
            'section["b"], a section held': _timer('section["b"]', things),
            'read("a.b"), read = snapshot.__getitem__': _timer('read("a.b")', things),
            'config.get("a.b")': _timer('config.get("a.b")', things),
        }
        targets = {'config["a.b"]': "<= 2.5", 'section["b"], a section held': "<= 1.2"}
        return rows(interleave(contestants, 25), unit="ns", targets=targets)


def _timer(expression: str, things: dict[str, Any]) -> Callable[[], float]:
    """Twenty reads to a loop turn, so that the loop itself hardly counts."""
    body = "".join(f"        {expression}\n" for _ in range(20))
    scope: dict[str, Any] = {}
    exec(f"def reads(turns, {', '.join(things)}):\n    for _ in range(turns):\n{body}", scope)
    reads = scope["reads"]

    def measure() -> float:
        started = time.perf_counter()
        reads(_READS // 20, **things)
        return (time.perf_counter() - started) / _READS * 1e9

    return measure
