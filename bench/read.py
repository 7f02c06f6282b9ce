"""What one read costs, beside plain dicts.

Two reads of exact dicts are two instructions that the interpreter has specialised. `snapshot["a.b"]` is one call: the
type's slot finds `__getitem__`, binds it, calls it. That alone costs more than 1.2 times the two instructions; only
what spares the binding (a section held, or the bound method held) comes to that.
"""

from __future__ import annotations

import threading
import time
from contextvars import Context
from typing import TYPE_CHECKING, Any

from bench.rounds import Row, interleave, rows
from bench.timer import READS as _READS
from bench.timer import timer as _timer
from bench.worlds import published

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.subscriber import Subscriber

_THREADS = 4


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
            '"a.b" in config': _timer('"a.b" in config', things),
            'config["a.b"], in a pin': _pinned(config, _timer('config["a.b"]', things)),
            'config["a.b"], beside a pin': _beside(config, _timer('config["a.b"]', things)),
            'config.get("a.b"), in a pin': _pinned(config, _timer('config.get("a.b")', things)),
            "with config.pin(): pass": _timer("with config.pin(): pass", things),
            'config["a.b"], four threads, for each read of all': _threads(_timer('config["a.b"]', things)),
            'config["a.b"], four threads, each in a pin': _threads(_pinned(config, _timer('config["a.b"]', things))),
        }
        targets = {
            'config["a.b"]': "<= 2.5",
            'config["a.b"], in a pin': "<= 2.5",
            'section["b"], a section held': "<= 1.2",
            'config["a.b"], four threads, for each read of all': "<= 1.1 of one",
        }
        return rows(interleave(contestants, 25), unit="ns", targets=targets)


def _pinned(config: Subscriber, measure: Callable[[], float]) -> Callable[[], float]:
    def pinned() -> float:
        with config.pin():
            return measure()

    return pinned


def _beside(config: Subscriber, measure: Callable[[], float]) -> Callable[[], float]:
    """In a context without a pin, while another has one."""

    def beside() -> float:
        with config.pin():
            return Context().run(measure)

    return beside


def _threads(measure: Callable[[], float]) -> Callable[[], float]:
    """Four times as many reads in four threads at once: what each of them took of the whole time."""

    def measured() -> float:
        threads = [threading.Thread(target=measure) for _ in range(_THREADS)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (time.perf_counter() - started) / (_THREADS * _READS) * 1e9

    return measured
