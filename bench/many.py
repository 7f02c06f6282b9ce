"""Ten thousand keys from fifty sources: what a publisher does at its start, at a change, and when there is none."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from bench.rounds import Row, interleave, rows
from confbus_publisher import explain
from confbus_publisher.inputs import Inputs
from confbus_publisher.sources import DictSource

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS = 15
_SECTIONS, _KEYS, _SOURCES = 200, 50, 50


def run() -> list[Row]:
    """Milliseconds; the first row is a plain update of dictionaries, which knows no origins."""
    sources = [_source(number) for number in range(_SOURCES)]
    inputs, numbers = Inputs(sources, limit_bytes=10_000_000), itertools.count()
    inputs.load()

    def change() -> None:
        inputs.sources = [*sources[:-1], _source(_SOURCES - 1, value=next(numbers))]
        inputs.load()

    figures = interleave(
        {
            "dict.update, section by section": _timed(lambda: _updated(sources)),
            "confbus: the first load": _timed(lambda: Inputs(sources, limit_bytes=10_000_000).load()),
            "confbus: one source of fifty changed": _timed(change),
            "confbus: nothing changed": _timed(inputs.load),
            "confbus: explain one value": _timed(lambda: explain.of_merge(inputs, inputs.load(), ("s1", "k1"))),
            "confbus: explain every value": _timed(lambda: explain.of_merge(inputs, inputs.load(), ())),
        },
        _ROUNDS,
    )
    return rows(figures, unit="ms", targets={})


def _source(number: int, *, value: int = 0) -> DictSource:
    """The lowest gives every key, the others a hundred each."""
    if number == 0:
        tree = {f"s{section}": {f"k{key}": key for key in range(_KEYS)} for section in range(_SECTIONS)}
    else:
        places = [((number * 7 + step) % _SECTIONS, (number + step) % _KEYS) for step in range(100)]
        tree = {f"s{section}": {f"k{key}": number + value} for section, key in places}
    return DictSource(tree, priority=number, name=f"source {number}")


def _updated(sources: list[DictSource]) -> dict[str, dict[str, int]]:
    merged: dict[str, dict[str, int]] = {}
    for source in sources:
        for section, values in source.load().tree.items():
            merged.setdefault(section, {}).update(values)
    return merged


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    def once() -> float:
        started = time.perf_counter()
        work()
        return (time.perf_counter() - started) * 1000

    return once
