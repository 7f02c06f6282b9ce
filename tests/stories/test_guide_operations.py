"""The snippets of the original user guide do what it says: integration, monitoring, security, troubleshooting.

Each runs unedited after a prelude of its own; only the names of modules are others, and `hash` is a stable one.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import REGISTRY

import confbus_publisher
from confbus_publisher import ConfigManager, FileConfigSource, get_config, get_config_manager, initialize_config_manager
from support.guide import move_to_redis, run, snippet, stable_hash
from support.guide_site import GuideSite
from support.managed import QUIET_S, managed, until
from support.said import Said

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True, params=["memory", "redis"])
def _ledger(request: pytest.FixtureRequest, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each snippet runs in memory, and over Redis with `seal: [database]`."""
    if request.param == "redis":
        move_to_redis(request.getfixturevalue("redis_url"), namespace, tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def _no_manager_is_left() -> Iterator[None]:
    yield
    manager = get_config_manager()
    if manager is not None:
        asyncio.run(manager.stop())


async def initialized(*sources: Said | FileConfigSource) -> ConfigManager:
    return await initialize_config_manager(sources, watch_files=False, check_interval_s=QUIET_S)


def test_database_configuration_integration() -> None:
    async def main() -> None:
        said = Said({"database": {"host": "db-1", "port": 6543}})
        async with managed(said) as manager:
            scope = await run(snippet("Database Configuration Integration"), ConfigManager=ConfigManager)
            config = await scope["HotReloadDatabaseConfig"].from_config_manager(manager)
            shown = (config.postgres_host, config.postgres_port, config.postgres_database)
            assert shown == ("db-1", 6543, "apes_production")

            said.tree = {"database": {"host": "db-2", "database": "shop"}}
            await manager.reload()
            await config.reload_from_manager(manager)

            shown = (config.postgres_host, config.postgres_port, config.postgres_database)
            assert shown == ("db-2", 5432, "shop")

    asyncio.run(main())


def test_feature_flags_replacement() -> None:
    features = {
        "old": {"enabled": False},
        "whole": {"enabled": True},
        "half": {"enabled": True, "rollout_percentage": 50},
        "none": {"enabled": True, "rollout_percentage": 0},
    }

    async def main() -> None:
        await initialized(Said({"features": features}))
        scope = await run(snippet("Feature Flags Replacement"), get_config=get_config, hash=stable_hash)
        is_enabled = scope["is_feature_enabled"]
        users = [f"user-{number}" for number in range(200)]

        assert not await is_enabled("unknown")
        assert not await is_enabled("old")
        assert await is_enabled("whole")
        assert not await is_enabled("half")
        assert [user for user in users if await is_enabled("none", user)] == []
        chosen = [user for user in users if await is_enabled("half", user)]
        assert 60 < len(chosen) < 140
        assert chosen == [user for user in users if await is_enabled("half", user)]

    asyncio.run(main())


def test_prometheus_metrics() -> None:
    async def main() -> None:
        said = Said({"n": 1})
        scope = await run(snippet("Prometheus Metrics"), ConfigManager=ConfigManager)
        try:
            async with managed(said, Said({"m": 1}, name="other")) as manager:
                scope["setup_metrics_collection"](manager)
                said.tree = {"n": 2}
                await manager.reload()

                await until(lambda: REGISTRY.get_sample_value("config_sources_healthy") == 2)
                assert REGISTRY.get_sample_value("config_reloads_total", {"status": "success"}) == 1
        finally:
            for name in ("config_reloads_total", "config_reload_duration", "config_sources_healthy"):
                REGISTRY.unregister(scope[name])

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_health_checks() -> None:
    async def main() -> None:
        prelude = {"get_config_manager": get_config_manager, "datetime": datetime, "Dict": dict, "Any": Any}
        check = (await run(snippet("Health Checks"), **prelude))["config_health_check"]
        said = Said({"n": 1})
        manager = await initialized(said, Said({"m": 1}, name="other"))
        while manager.get_metrics().average_reload_time_ms >= 100:  # The first load of a busy machine may be slow.
            await manager.reload()

        healthy = await check()

        metrics = manager.get_metrics()
        assert metrics.last_reload_time is not None
        assert healthy == {
            "status": "healthy",
            "metrics": {
                "total_reloads": metrics.total_reloads,
                "success_rate": 1.0,
                "avg_reload_time_ms": metrics.average_reload_time_ms,
                "healthy_sources": "2/2",
            },
            "last_reload": metrics.last_reload_time.isoformat(),
        }

        said.failure = ValueError("away")
        assert (await check())["metrics"]["healthy_sources"] == "1/2"
        assert (await check())["status"] == "healthy"
        for _ in range(metrics.total_reloads):
            await manager.reload()
        assert (await check())["status"] == "unhealthy"

    asyncio.run(main())


def test_health_checks_before_there_is_a_manager_and_long_after_the_last_check() -> None:
    class Later:
        @staticmethod
        def utcnow() -> datetime:
            return datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=301)

    async def main() -> None:
        prelude = {"get_config_manager": lambda: None, "datetime": Later, "Dict": dict, "Any": Any}
        scope = await run(snippet("Health Checks"), **prelude)
        assert await scope["config_health_check"]() == {
            "status": "unhealthy",
            "reason": "Config manager not initialized",
        }

        manager = await initialized(Said({"n": 1}))
        scope["get_config_manager"] = lambda: manager

        assert (await scope["config_health_check"]())["status"] == "unhealthy"

    asyncio.run(main())


def validation(directory: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    (directory / "config").mkdir()
    (directory / "config" / "app.yaml").write_text(text)
    monkeypatch.chdir(directory)
    prelude = {"FileConfigSource": FileConfigSource, "logger": logging.getLogger("guide")}
    return asyncio.run(run(snippet("Configuration Validation"), **prelude))


def test_configuration_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scope = validation(tmp_path, "database: {host: db, password: '${DB_PASSWORD}'}", monkeypatch)

    assert scope["config_data"] == {"database": {"host": "db", "password": "${DB_PASSWORD}"}}
    assert (scope["is_valid"], scope["errors"]) == (True, [])
    assert caplog.text == ""


def test_configuration_validation_finds_a_hardcoded_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scope = validation(tmp_path, "database: {password: Xk3-v9q_Lw2p}", monkeypatch)

    assert not scope["is_valid"]
    assert "database.password" in caplog.text
    assert "Xk3-v9q_Lw2p" not in caplog.text


def test_secrets_management() -> None:
    scope = asyncio.run(run(snippet("Secrets Management")))

    source = Said(scope["database_config"])
    assert asyncio.run(source.load_config())["password"] == "${DB_PASSWORD}"
    assert asyncio.run(scope["get_secret_from_vault"]("secret/data/app")) is None


def test_slow_reload_times(caplog: pytest.LogCaptureFixture) -> None:
    printed: list[str] = []
    log = logging.getLogger("confbus_publisher")
    level = log.level

    async def main() -> None:
        said = Said({"n": 1})
        async with managed(said) as manager:
            is_slow = manager.get_metrics().average_reload_time_ms > 100
            await run(snippet("Common Issues"), manager=manager, logging=logging, print=printed.append)
            said.tree = {"n": 2}
            await manager.reload()

            assert printed == ["Performance issue detected"] * is_slow
            assert "reload: success in" in caplog.text

    try:
        asyncio.run(main())
    finally:
        log.setLevel(level)


def test_configuration_not_updating(tmp_path: Path) -> None:
    printed: list[str] = []
    file = tmp_path / "app.yaml"
    file.write_text("n: 1")

    async def main() -> None:
        prelude = {"FileConfigSource": FileConfigSource, "print": printed.append}
        async with managed(FileConfigSource(file, name="app"), Said({"m": 1})) as manager:
            await run(snippet("Common Issues", 1), manager=manager, **prelude)
            file.write_text("n: 2")
            await run(snippet("Common Issues", 1), manager=manager, **prelude)

    asyncio.run(main())
    assert printed == ["Source app modified: False", "Source app modified: True"]


def test_remote_source_failures() -> None:
    printed: list[str] = []

    async def main(site: GuideSite) -> None:
        url = site.local("https://config.company.com/app")
        source = confbus_publisher.RemoteConfigSource(url, name="remote", interval_s=0.01)
        prelude = {"RemoteConfigSource": confbus_publisher.RemoteConfigSource, "print": printed.append}
        async with managed(source) as manager:
            await run(snippet("Common Issues", 2), manager=manager, **prelude)
            site.down = {"config.company.com"}
            for _ in range(10):
                await manager.reload()
            await run(snippet("Common Issues", 2), manager=manager, **prelude)
            assert await manager.get_config("n") == 1

    with GuideSite({"config.company.com/app": {"n": 1}}) as site:
        asyncio.run(main(site))
    assert printed == ["Circuit breaker for remote: CLOSED", "Circuit breaker for remote: OPEN"]
