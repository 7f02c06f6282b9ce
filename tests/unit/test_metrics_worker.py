"""What a registry shows of the subscribers of a process: as they are when it is scraped."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from confbus import Subscriber
from confbus.errors import InvalidSettings
from confbus.metrics import observe
from confbus.testing import Bus
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture
def bus() -> Generator[Bus]:
    with Bus({"web": {"port": 80}}) as bus:
        yield bus


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def value(registry: CollectorRegistry, metric: str, config: Subscriber, **labels: str) -> float | None:
    """What is scraped of `config`; None when nothing is."""
    return registry.get_sample_value(f"confbus_subscriber_{metric}", {"namespace": config.namespace, **labels})


def test_a_scrape_shows_the_version_that_is_read_at_that_moment(bus: Bus, registry: CollectorRegistry) -> None:
    config = bus.connect()
    observe(config, registry)
    before = value(registry, "version", config)

    bus.set("web.port", 81)

    assert (before, value(registry, "version", config)) == (1, 2)
    assert value(registry, "connected", config) == 1
    assert value(registry, "state", config, state="live") == 1
    assert value(registry, "state", config, state="vetoing") == 0
    assert value(registry, "applies_total", config) == 2
    assert value(registry, "notices_total", config) == 1
    assert value(registry, "healed_total", config) == 0


def test_a_subscriber_that_was_not_started_shows_that_it_has_nothing(bus: Bus, registry: CollectorRegistry) -> None:
    config = Subscriber(bus.url, namespace=bus.namespace)
    observe(config, registry)

    assert value(registry, "version", config) == value(registry, "connected", config) == 0
    assert value(registry, "verified_timestamp_seconds", config) is None


def test_the_moment_of_the_last_look_at_redis_is_shown_as_a_time(bus: Bus, registry: CollectorRegistry) -> None:
    began = time.time()
    config = bus.connect()
    observe(config, registry)

    verified_at = value(registry, "verified_timestamp_seconds", config)

    assert verified_at is not None
    assert round(began, 3) <= verified_at <= round(time.time(), 3)


def test_a_veto_is_counted_and_leaves_the_version_that_is_read(bus: Bus, registry: CollectorRegistry) -> None:
    def port_is_open(snapshot: Any) -> None:
        assert snapshot["web.port"] < 100

    config = bus.connect(validators=[port_is_open])
    observe(config, registry)

    bus.set("web.port", 8080)

    assert value(registry, "vetoes_total", config) == 1
    assert (value(registry, "version", config), value(registry, "seen_version", config)) == (1, 2)
    assert value(registry, "state", config, state="vetoing") == 1


def test_each_apply_since_it_is_observed_is_timed(bus: Bus, registry: CollectorRegistry) -> None:
    config = bus.connect()
    observe(config, registry)

    bus.set("web.port", 81)
    bus.set("web.port", 82)

    assert value(registry, "apply_duration_seconds_count", config) == 2
    assert value(registry, "apply_duration_seconds_bucket", config, le="+Inf") == 2
    total_s = value(registry, "apply_duration_seconds_sum", config)
    assert total_s is not None
    assert total_s > 0


def test_callbacks_are_timed_and_those_that_raise_are_counted(bus: Bus, registry: CollectorRegistry) -> None:
    def fails(changes: object) -> None:
        raise ValueError("on purpose")

    config = bus.connect()
    config.subscribe(fails)
    observe(config, registry)
    config.subscribe(list, "web")
    config.subscribe(list, "nothing.of.that")

    bus.set("web.port", 81)

    eventually(lambda: value(registry, "callback_duration_seconds_count", config) == 2)
    assert value(registry, "callback_errors_total", config) == 1


def test_two_subscribers_of_one_namespace_need_a_name_each(bus: Bus, registry: CollectorRegistry) -> None:
    one, other = bus.connect(), bus.connect()
    observe(one, registry)

    with pytest.raises(InvalidSettings, match="name="):
        observe(other, registry)
    observe(other, registry, name="reports")

    assert value(registry, "version", one) == value(registry, "version", other, name="reports") == 1


def test_a_subscriber_that_is_closed_or_gone_vanishes(bus: Bus, registry: CollectorRegistry) -> None:
    closed, gone = bus.connect(), Subscriber(bus.url, namespace=bus.namespace)
    observe(closed, registry)
    observe(gone, registry, name="gone")

    closed.close()
    del gone
    gc.collect()

    assert f'namespace="{bus.namespace}"' not in generate_latest(registry).decode()
    again = bus.connect()
    observe(again, registry)
    assert value(registry, "version", again) == 1


def test_without_the_client_of_prometheus_one_line_says_what_to_install() -> None:
    program = """
import sys
sys.modules["prometheus_client"] = None
import confbus.metrics
from confbus.testing import Bus
with Bus({"a": {"b": 1}}) as bus:
    config = bus.connect()
    try: confbus.metrics.observe(config)
    except confbus.ConfBusError as error: print(error)
"""

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert "confbus[metrics]" in said
