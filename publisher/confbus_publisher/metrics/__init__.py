"""Metrics of publishers for Prometheus, in whatever registry there is. All names are in docs/metrics.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.metrics import default_registry, mirror
from confbus.metrics.collector import collector_of
from confbus_publisher.metrics.guide import guide_metrics
from confbus_publisher.metrics.publishing import FAMILIES, Publishing

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from confbus_publisher.publisher import Publisher

__all__ = ["guide_metrics", "observe"]


def observe(
    publisher: Publisher, registry: CollectorRegistry | None = None, *, namespace: str = "", name: str = ""
) -> None:
    """Show the metrics of `publisher`, which publishes to `namespace`, in `registry` (None: prometheus-client's own)
    until it ends. They are read when the registry is scraped, and ask nothing of Redis. With `PROMETHEUS_MULTIPROC_DIR`
    they stand in its files as well. `name` tells publishers of one namespace apart.

    Raises `InvalidSettings` when prometheus-client is not there, or another publisher has these labels.
    """
    registry = default_registry() if registry is None else registry
    publishing = Publishing(publisher, namespace, name)
    collector_of(registry, FAMILIES).add(publishing)
    mirror.copy(publishing, publisher.measures)
