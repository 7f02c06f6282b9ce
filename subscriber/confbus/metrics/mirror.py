"""The same readings in the files that prometheus-client keeps where many processes answer for each other.

With `PROMETHEUS_MULTIPROC_DIR`, whichever process is scraped reads the files of all, and asks no collector. So what is
observed is copied there by the thread that follows. Gauges are of the kind `liveall`: each process has its own, with
the label `pid`, for as long as it lives (`lifeline`); counters and histograms are summed, the dead included.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confbus import importing
from confbus.durations import Durations
from confbus.metrics.collector import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.measures import Beat
    from confbus.metrics.collector import Observed
    from confbus.metrics.family import Family, Reading
    from confbus.metrics.lifeline import Lifeline

_Key = tuple[Any, ...]


class Mirror:
    """Copies what is `observed`; called by its thread, now and then."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self._cells: dict[_Key, _Cell] = {}
        self._pid = os.getpid()

    def shows(self, observed: Observed) -> bool:
        """Whether what is `observed` stands in the files already."""
        mine = self._observed
        return (type(mine), mine.namespace, mine.name) == (type(observed), observed.namespace, observed.name)

    def __call__(self) -> None:
        readings = [reading for reading in self._observed.readings() if not reading.family.is_endless]
        # prometheus-client holds a lock as it writes, which a child that was forked meanwhile would never get.
        with importing.guard:
            _lifeline().keep()
            self._notice_fork()
            written = {key: value for reading in readings for key, value in _samples(reading)}
            for key, value in written.items():
                cell = self._cells.get(key)
                if cell is None:
                    cell = self._cells[key] = _Cell(key)
                cell.write(value)
            for key, cell in self._cells.items():
                if key not in written:
                    cell.fade()

    def _notice_fork(self) -> None:
        """A child has files of its own, or those of a dead process that had its number."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            for cell in self._cells.values():
                cell.begin_anew()


class _Cell:
    """One number in a file."""

    def __init__(self, key: _Key) -> None:
        self._family: Family = key[0]
        self._value = _value_of(key)
        self._before = 0.0
        self._written: float | None = None
        self._is_faded = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """What is there already was counted by somebody else, and goes on."""
        self._before = 0.0 if self._family.kind == "gauge" else self._value.get()
        self._written = None

    def write(self, value: float) -> None:
        if value != self._written:
            self._value.set(self._before + value)
            self._written, self._is_faded = value, False

    def fade(self) -> None:
        """Show that this gauge is no more. What was counted stays counted."""
        if self._family.kind == "gauge" and not self._is_faded:
            self._value.set(self._family.gone)
            self._written, self._is_faded = None, True


_values: dict[tuple[Any, _Key], Any] = {}


def _value_of(key: _Key) -> Any:
    """The one value for `key` in this process: prometheus-client keeps each that was ever made."""
    from prometheus_client import values

    kind = values.ValueClass
    if (kind, key) not in _values:
        family, sample, names, labels = key
        mode = {"multiprocess_mode": "liveall"} if family.kind == "gauge" else {}
        metric = family.name.removesuffix("_total")
        _values[kind, key] = kind(family.kind, metric, sample, names, labels, family.help, **mode)
    return _values[kind, key]


def _samples(reading: Reading) -> Iterator[tuple[_Key, float]]:
    family, labels, value = reading
    names, texts = tuple(labels), tuple(labels.values())
    if not isinstance(value, Durations):
        yield (family, family.name, names, texts), value
        return
    name = family.name
    for bound, count in zip((*value.bounds_s, float("inf")), value.counts, strict=True):
        yield (family, f"{name}_bucket", (*names, "le"), (*texts, shown(bound))), count
    yield (family, f"{name}_sum", names, texts), value.total_s


_lifelines: dict[str, Lifeline] = {}


def _lifeline() -> Lifeline:
    """The one of this process: there are as many mirrors as there is to be shown."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or os.environ["prometheus_multiproc_dir"]  # noqa: SIM112 — its old name
    if folder not in _lifelines:
        from confbus.metrics.lifeline import Lifeline  # which is for systems with locks of that kind

        _lifelines[folder] = Lifeline(Path(folder))
    return _lifelines[folder]


def copy(observed: Observed, beat: Beat) -> None:
    """Copy what is `observed` at each beat, if this process is one of several that are scraped together.

    Once, however many registries it is in: two copies would count everything twice.
    """
    if is_one_of_several() and not any(isinstance(each, Mirror) and each.shows(observed) for each in beat.copies):
        beat.copies += (Mirror(observed),)


def is_one_of_several() -> bool:
    """Whether prometheus-client keeps what this process tells in files."""
    from prometheus_client import values

    return bool(getattr(values.ValueClass, "_multiprocess", False))
