"""The metrics by the names that the guide gives them, of a configuration manager."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from confbus.errors import NotStarted
from confbus.metrics import default_registry, mirror
from confbus.metrics.collector import collector_of
from confbus.metrics.family import Family, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import CollectorRegistry

    from confbus_publisher.manager.manager import ConfigManager

RELOADS = Family("config_reloads_total", "counter", "Total configuration reloads.", ("status",))
RELOAD_DURATION = Family("config_reload_duration_seconds", "histogram", "Configuration reload duration.")
SOURCES_HEALTHY = Family("config_sources_healthy", "gauge", "Number of healthy configuration sources.")

FAMILIES = (RELOADS, RELOAD_DURATION, SOURCES_HEALTHY)


def guide_metrics(
    registry: CollectorRegistry | None = None, manager: ConfigManager | None = None, *, name: str = ""
) -> None:
    """Show `config_reloads_total`, `config_reload_duration_seconds` and `config_sources_healthy` of `manager` in
    `registry` (None: prometheus-client's own). Without a manager they are those of the one that
    `initialize_config_manager` made last, whichever that is at a scrape. `name` tells managers apart.

    Raises `InvalidSettings` when prometheus-client is not there, or the names are taken; `NotStarted` when there is no
    manager yet, with `PROMETHEUS_MULTIPROC_DIR`.
    """
    registry = default_registry() if registry is None else registry
    guide = Guide(weakref.ref(manager) if manager is not None else _current, name)
    shown = guide.manager
    if shown is None and mirror.is_one_of_several():
        advice = "Await initialize_config_manager([…]) before, or pass one."
        raise NotStarted("There is no configuration manager to show yet", advice=advice)
    collector_of(registry, FAMILIES).add(guide)
    if shown is not None:
        mirror.copy(guide, shown.measure())


class Guide:
    """The manager that `which` gives at the moment, if any."""

    namespace = ""

    def __init__(self, which: Callable[[], ConfigManager | None], name: str) -> None:
        self.name = name
        self._which = which

    @property
    def manager(self) -> ConfigManager | None:
        return self._which()

    @property
    def is_over(self) -> bool:
        return self._which is not _current and self.manager is None

    def readings(self) -> Iterator[Reading]:
        manager = self.manager
        if manager is None:
            return
        labels = {"name": self.name} if self.name else {}
        metrics = manager.get_metrics()
        for status, count in metrics.reloads.items():
            yield Reading(RELOADS, {**labels, "status": status.value}, count)
        yield Reading(RELOAD_DURATION, labels, metrics.durations)
        yield Reading(SOURCES_HEALTHY, labels, metrics.config_sources_count - metrics.failing_sources_count)


def _current() -> ConfigManager | None:
    from confbus_publisher.manager.current import get_config_manager

    return get_config_manager()
