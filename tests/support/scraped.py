"""One healthy publisher and one healthy worker in a registry, and what a scrape of it says."""

from __future__ import annotations

from functools import cache

from prometheus_client import generate_latest

from confbus.metrics import observe
from confbus.testing import Bus
from confbus_publisher.manager.manager import ConfigManager
from confbus_publisher.metrics import guide_metrics
from support.metered import Metered

TREE = {"web": {"port": 80}}


@cache
def scrape() -> bytes:
    """The exposition: every metric that there is, but for those that tell of what is held or went wrong."""
    metered = Metered(TREE)
    manager = ConfigManager()
    guide_metrics(metered.registry, manager)
    metered.publisher.turn()
    metered.report("a", metered.head)
    metered.publisher.turn()
    with Bus(TREE) as bus:
        config = bus.connect()
        observe(config, metered.registry)
        config.subscribe(list)
        bus.set("web.port", 81)
        return generate_latest(metered.registry)
