"""The guide's metrics of a configuration manager, and our own of one that was given a registry."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Counter

from confbus.errors import InvalidSettings
from confbus_publisher import initialize_config_manager
from confbus_publisher.metrics import guide_metrics
from support.managed import managed
from support.said import Said


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_reloads_are_counted_by_status_and_timed_and_failing_sources_are_not_healthy(
    registry: CollectorRegistry,
) -> None:
    async def main() -> None:
        said = Said({"a": 1})
        async with managed(said, Said({"b": 1}, name="other")) as manager:
            guide_metrics(registry, manager)
            said.tree = {"a": 2}
            await manager.reload()
            said.failure = ValueError("away")
            await manager.reload()

            assert registry.get_sample_value("config_reloads_total", {"status": "success"}) == 2
            assert registry.get_sample_value("config_reloads_total", {"status": "failed"}) == 1
            assert registry.get_sample_value("config_reload_duration_seconds_count") == 3
            assert registry.get_sample_value("config_sources_healthy") == 1

    asyncio.run(main())


def test_without_a_manager_they_are_those_of_the_one_that_is_current_at_a_scrape(registry: CollectorRegistry) -> None:
    async def main() -> None:
        await initialize_config_manager([Said({"a": 1})], watch_files=False)
        guide_metrics(registry)
        before = registry.get_sample_value("config_sources_healthy")

        manager = await initialize_config_manager([Said({"a": 1}), Said({"b": 1}, name="other")], watch_files=False)

        assert (before, registry.get_sample_value("config_sources_healthy")) == (1, 2)
        await manager.stop()

    asyncio.run(main())


def test_names_that_the_application_has_taken_are_refused(registry: CollectorRegistry) -> None:
    Counter("config_reloads", "Of its own", ["status"], registry=registry)

    with pytest.raises(InvalidSettings, match="config_reloads"):
        guide_metrics(registry)


def test_a_manager_with_a_registry_shows_what_it_publishes_until_it_is_stopped(registry: CollectorRegistry) -> None:
    async def main() -> None:
        async with managed(Said({"a": {"b": 1}}), metrics=registry):
            assert registry.get_sample_value("confbus_version") == 1
            assert registry.get_sample_value("confbus_publishes_total", {"outcome": "published"}) == 1
            assert registry.get_sample_value("confbus_sources_healthy") == 1

        assert registry.get_sample_value("confbus_version") is None

    asyncio.run(main())
