"""What a registry holds of ours: at each scrape it asks whatever is observed, so nothing in it is stale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from confbus import importing
from confbus.durations import Durations
from confbus.errors import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from prometheus_client import CollectorRegistry, Metric
    from prometheus_client.registry import Collector as Registrable

    from confbus.metrics.family import Family, Reading


class Observed(Protocol):
    """What is observed. `namespace` and `name` tell it from others of its kind in the same registry."""

    @property
    def namespace(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def is_over(self) -> bool:
        """True when there is nothing left to read."""
        ...

    def readings(self) -> Iterable[Reading]:
        """All of its metrics as they are now; once it is over, what it counted in the end. For any thread; asks nothing
        of Redis."""
        ...


class Collector:
    """Reads all that is observed in one registry, of one kind, which has the metrics `families`."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families
        self._observed: tuple[Observed, ...] = ()

    def add(self, observed: Observed) -> None:
        """Read it as well, until it is over. Raises `InvalidSettings` when its labels are taken."""
        with importing.guard:
            self._add(observed)

    def _add(self, observed: Observed) -> None:
        living = tuple(each for each in self._observed if not each.is_over)
        if any((each.namespace, each.name) == (observed.namespace, observed.name) for each in living):
            origin = f"the metrics of {observed.namespace or 'this process'}"
            reason = "another one with these labels is observed in this registry already"
            advice = 'Take another registry, or tell them apart: observe(…, name="…").'
            raise InvalidSettings(origin, reason, advice=advice)
        self._observed = (*living, observed)

    def describe(self) -> Iterator[Metric]:
        """The metrics without their values, as a registry wants them."""
        return self._metrics(())

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        living = (each for each in self._observed if not each.is_over)
        return self._metrics([reading for each in living for reading in each.readings()])

    def _metrics(self, readings: Sequence[Reading]) -> Iterator[Metric]:
        from prometheus_client import Metric

        for family in self._families:
            metric = Metric(family.name.removesuffix("_total"), family.help, family.kind)
            for reading in readings:
                if reading.family is family:
                    _add(metric, reading)
            yield metric


_collectors: WeakKeyDictionary[CollectorRegistry, dict[int, Collector]] = WeakKeyDictionary()


def collector_of(registry: CollectorRegistry, families: Sequence[Family]) -> Collector:
    """The one collector of `families` that `registry` has. Raises `InvalidSettings` when others took the names."""
    with importing.guard:
        there = _collectors.setdefault(registry, {})
        if id(families) not in there:
            collector = Collector(families)
            try:
                registry.register(_registrable(collector))
            except ValueError as error:
                raise InvalidSettings("metrics", f"the registry has one of these names already: {error}") from error
            there[id(families)] = collector
        return there[id(families)]


def _registrable(collector: Collector) -> Registrable:
    """A class that inherits from prometheus-client's can be made only where that is there."""
    from prometheus_client.registry import Collector as Registrable

    class Ours(Registrable):
        def describe(self) -> Iterable[Metric]:
            return collector.describe()

        def collect(self) -> Iterable[Metric]:
            return collector.collect()

    return Ours()


def _add(metric: Metric, reading: Reading) -> None:
    name, labels, value = reading.family.name, dict(reading.labels), reading.value
    if not isinstance(value, Durations):
        metric.add_sample(name, labels, value)
        return
    counts, total = list(value.counts), 0
    for bound, count in zip((*value.bounds_s, float("inf")), counts, strict=True):
        total += count
        metric.add_sample(f"{name}_bucket", {**labels, "le": shown(bound)}, total)
    metric.add_sample(f"{name}_count", labels, total)
    metric.add_sample(f"{name}_sum", labels, value.total_s)


def shown(bound: float) -> str:
    """A bound of a bucket as its label."""
    return "+Inf" if bound == float("inf") else repr(bound)
