"""What metrics add: to a read, to an apply, to a publish; and what a scrape costs, which none of them waits for.

An apply is a change of one value over a bus in memory, from the edit until it is read. A publish is a turn of the
publisher over a store in memory, with and without anybody who counts. Neither has a server in it, so that what is added
is as large a part as it can be.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest, values

from bench.rounds import Row, interleave, rows
from bench.timer import timed, timer
from confbus.durations import Durations
from confbus.metrics import mirror, observe
from confbus.testing import Bus
from confbus_publisher import metrics
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.manager.forgetful import Forgetful
from confbus_publisher.measures import Measures
from confbus_publisher.publisher import Publisher
from confbus_publisher.sources import DictSource

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from confbus_publisher.fleet import Report
    from confbus_publisher.inputs import Merge
    from confbus_publisher.layer import Layer
    from confbus_publisher.ledger import State
    from confbus_publisher.sources.source import Source


def run() -> list[Row]:
    """Nanoseconds for a read, microseconds for all else."""
    with _shared_files():
        return [*_workers(), *_publishes(), *_scrapes()]


def _workers() -> list[Row]:
    tree = {"a": {"b": 1}, "x": {"y": 3}}
    with Bus(tree) as plain, Bus(tree) as watched, Bus(tree) as shown:
        alone, observed, copied = plain.connect(), watched.connect(), shown.connect()
        observe(observed, CollectorRegistry())
        observed.measure().copies = ()
        observe(copied, CollectorRegistry())
        reads = {
            'config["a.b"]': timer('config["a.b"]', {"config": alone}),
            'config["a.b"], observed': timer('config["a.b"]', {"config": observed}),
        }
        applies = {
            "an edit until it is read": _edits(plain),
            "the same, observed": _edits(watched),
            "the same, observed, and copied for other processes": _edits(shown),
            "of that, what times one apply": timed(_time_one(Durations())),
        }
        return [
            *rows(interleave(reads, 25), unit="ns", targets={'config["a.b"], observed': "<= 1.1"}),
            *rows(interleave(applies, 400), unit="us", targets={"the same, observed": "<= 1.1"}),
        ]


def _publishes() -> list[Row]:
    contestants = {
        "a turn that publishes one value, not counted": _turns(Silent()),
        "the same, counted": _turns(Measures()),
    }
    return rows(interleave(contestants, 200), unit="us", targets={"the same, counted": "<= 1.1"})


def _scrapes() -> list[Row]:
    registries = CollectorRegistry(), CollectorRegistry()
    publisher = _publisher(Measures(), Numbers())
    publisher.turn()
    metrics.observe(publisher, registries[1], namespace="bench")
    with Bus({"a": {"b": 1}}) as bus:
        config = bus.connect()
        observe(config, registries[0])
        copy = mirror.Mirror(_worker(config))
        contestants = {
            "a scrape of one worker": timed(lambda: generate_latest(registries[0])),
            "a scrape of one publisher": timed(lambda: generate_latest(registries[1])),
            "a copy for other processes": timed(copy),
        }
        return rows(interleave(contestants, 25), unit="us", targets={})


class Silent(Measures):
    """Counts nothing."""

    def reload(self, inputs: Inputs, *on_top: Source) -> Merge:
        return inputs.load(*on_top)

    def publishing(self, digest: str) -> Any:
        return nullcontext(digest)

    def heard(self, live: Sequence[Report], state: State | None) -> None:
        del live, state

    def beat(self, *, at_once: bool = False) -> None:
        pass


class Numbers:
    """A source that says something else each time."""

    name = "numbers"
    priority = 0
    watched = ()

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def load(self) -> Layer:
        return DictSource({"a": {"b": next(self._numbers)}}, name=self.name).load()


def _publisher(measures: Measures, source: Numbers) -> Publisher:
    inputs = Inputs([source], limit_bytes=1 << 20)
    publisher = Publisher(inputs, Ledger(MemoryStore()), Forgetful(), identity="bench", author="bench")
    publisher.measures = measures
    return publisher


def _turns(measures: Measures) -> Callable[[], float]:
    publisher = _publisher(measures, Numbers())
    publisher.turn()

    def measure() -> float:
        started = time.perf_counter()
        publisher.turn()
        return (time.perf_counter() - started) * 1e6

    return measure


def _edits(bus: Bus) -> Callable[[], float]:
    numbers = itertools.count(2)

    def measure() -> float:
        started = time.perf_counter()
        bus.set("a.b", next(numbers))
        return (time.perf_counter() - started) * 1e6

    return measure


def _time_one(durations: Durations) -> Callable[[], object]:
    def work() -> None:
        started = time.perf_counter()
        durations.add(time.perf_counter() - started)

    return work


def _worker(config: Any) -> Any:
    from confbus.metrics.worker import Worker

    return Worker(config, "copied")


@contextmanager
def _shared_files() -> Generator[None]:
    """As in one of several processes that are scraped together."""
    with tempfile.TemporaryDirectory() as folder:
        before, os.environ["PROMETHEUS_MULTIPROC_DIR"] = values.ValueClass, folder
        values.ValueClass = values.MultiProcessValue()
        try:
            yield
        finally:
            values.ValueClass = before
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]
