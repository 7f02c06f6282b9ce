"""Metrics for Prometheus, in whatever registry the application has.

config = confbus.connect("redis://localhost:6379", namespace="checkout")
confbus.metrics.observe(config)

It needs prometheus-client: `pip install 'confbus[metrics]'`. All names are in docs/metrics.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings
from confbus.metrics import mirror
from confbus.metrics.collector import collector_of
from confbus.metrics.worker import FAMILIES, Worker

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from confbus.subscriber import Subscriber

__all__ = ["child_exit", "default_registry", "observe"]


def observe(subscriber: Subscriber, registry: CollectorRegistry | None = None, *, name: str = "") -> None:
    """Show the metrics of `subscriber` in `registry` (None: prometheus-client's own) until it is closed.

    They are read when the registry is scraped; reads of the configuration cost nothing more. With
    `PROMETHEUS_MULTIPROC_DIR` they stand in its files as well, at most a second old. `name` tells subscribers of one
    namespace apart. Call it once, before or after the start; forked children go on by themselves.

    Raises `InvalidSettings` when prometheus-client is not there, or another subscriber has these labels.
    """
    registry = default_registry() if registry is None else registry
    worker = Worker(subscriber, name)
    collector_of(registry, FAMILIES).add(worker)
    mirror.copy(worker, worker.measures)


def child_exit(_server: Any, worker: Any) -> None:
    """For gunicorn.conf.py, `from confbus.metrics import child_exit`: the gauges of a worker end with it at once, those
    of the application as well. Without it, the other workers notice within two seconds, if they follow."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def default_registry() -> CollectorRegistry:
    """The registry that prometheus-client serves by itself. Raises `InvalidSettings` when that is not installed."""
    try:
        from prometheus_client import REGISTRY
    except ImportError as error:
        reason = "the package prometheus-client is not installed here"
        raise InvalidSettings("metrics", reason, advice="pip install 'confbus[metrics]'") from error
    return REGISTRY
