"""What a configuration manager counts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from confbus_publisher import ConfigManager, config_health
from support.managed import managed, until
from support.said import Said

TREE: dict[str, Any] = {"database": {"host": "db-1", "port": 5432}, "nothing": None, "hosts": ["a", "b"]}


def test_a_quiet_configuration_is_checked_again_and_again_and_counted_once() -> None:
    async def main() -> None:
        async with managed(Said(TREE), watch_files=True, check_interval_s=0.01) as manager:
            first = manager.get_metrics().last_reload_time
            assert first is not None
            assert first.tzinfo is None
            assert abs(datetime.now(UTC).replace(tzinfo=None) - first) < timedelta(seconds=60)

            await until(lambda: manager.get_metrics().last_reload_time != first)

            assert manager.get_metrics().total_reloads == 1

    asyncio.run(main())


def test_a_lasting_failure_counts_once_and_so_does_its_end() -> None:
    async def main() -> None:
        said = Said({"a": 1})
        async with managed(said, watch_files=True, check_interval_s=0.01) as manager:
            said.failure = ValueError("away")
            await until(lambda: manager.get_metrics().failed_reloads == 1)
            checked = manager.get_metrics().last_reload_time
            await until(lambda: manager.get_metrics().last_reload_time != checked)
            assert manager.get_metrics().failing_sources_count == 1
            said.failure = None
            await until(lambda: manager.get_metrics().successful_reloads == 2)

            metrics = manager.get_metrics()

            assert (metrics.total_reloads, metrics.failed_reloads, metrics.failing_sources_count) == (3, 1, 0)

    asyncio.run(main())


def test_metrics_tell_how_it_went() -> None:
    async def main() -> None:
        said = Said({"a": 1})
        async with managed(said, Said({"b": 1}, name="other")) as manager:
            said.tree = {"a": 2}
            await manager.reload()
            said.failure = ValueError("away")
            await manager.reload()

            metrics = manager.get_metrics()

            assert (metrics.total_reloads, metrics.successful_reloads, metrics.failed_reloads) == (3, 2, 1)
            assert (metrics.config_sources_count, metrics.current_version, metrics.rollbacks) == (2, 2, 0)
            assert metrics.average_reload_time_ms > 0

    asyncio.run(main())


def test_health_tells_what_the_guide_tells_and_a_failing_source_makes_nobody_unhealthy() -> None:
    async def main() -> None:
        said = Said({"a": 1})
        async with managed(said, Said({"b": 1}, name="other")) as manager:
            said.failure = ValueError("away")
            await manager.reload()
            metrics = manager.get_metrics()

            health = config_health(manager, max_age_s=300)

            assert metrics.last_reload_time is not None
            assert health == {
                "status": "healthy",
                "version": 1,
                "metrics": {
                    "total_reloads": 2,
                    "success_rate": 0.5,
                    "avg_reload_time_ms": metrics.average_reload_time_ms,
                    "healthy_sources": "1/2",
                },
                "last_reload": metrics.last_reload_time.isoformat(),
            }
            assert config_health(manager, max_age_s=-1)["reason"] == "the sources were not looked at within -1 s"

    asyncio.run(main())


def test_without_a_manager_or_before_its_start_it_is_unhealthy() -> None:
    assert config_health(ConfigManager())["reason"] == "there is nothing to read"
    assert config_health(None) == {"status": "unhealthy", "reason": "Config manager not initialized"}
