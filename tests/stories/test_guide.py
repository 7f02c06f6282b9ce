"""The snippets of the original user guide do what it says: getting started, sources, rollback, changes.

Each runs unedited after a prelude of its own; only the names of modules are others.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import confbus_publisher
from confbus.client import make_client
from confbus.wire.keys import Keys
from confbus_publisher import (
    ConfigManager,
    EnvironmentConfigSource,
    FileConfigSource,
    ReloadStatus,
    get_config,
    initialize_config_manager,
)
from support.guide import move_to_redis, run, script, snippet
from support.guide_site import GuideSite
from support.managed import managed, until
from support.said import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher import RemoteConfigSource


@pytest.fixture(autouse=True, params=["memory", "redis"])
def ledger(request: pytest.FixtureRequest, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each snippet runs in memory, and over Redis with `seal: [database]`."""
    if request.param == "redis":
        move_to_redis(request.getfixturevalue("redis_url"), namespace, tmp_path, monkeypatch)
    return str(request.param)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with `config/` in it, which is the current one; no variable of the guide is set."""
    (tmp_path / "config").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("APP_", "DB_"))]:
        monkeypatch.delenv(name)
    yield tmp_path
    manager = confbus_publisher.get_config_manager()
    if manager is not None:
        asyncio.run(manager.stop())


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[GuideSite]:
    """The hosts of the guide on loopback, and `RemoteConfigSource` that finds them there."""
    remote = confbus_publisher.RemoteConfigSource
    with GuideSite({}) as site:

        def local(url: str, **options: Any) -> RemoteConfigSource:
            return remote(site.local(url), **options)

        monkeypatch.setattr(confbus_publisher, "RemoteConfigSource", local, raising=False)
        yield site


def test_basic_usage(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "config" / "app.yaml").write_text("database: {host: db.internal}\napp: {debug: true}\n")

    script(snippet("Basic Usage"), {"get_config": get_config})

    assert capsys.readouterr().out == "Database host: db.internal\nDebug mode: True\n"


def test_basic_usage_falls_back_to_its_defaults(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "config" / "app.yaml").write_text("database: {port: 5432}\n")

    script(snippet("Basic Usage"), {"get_config": get_config})

    assert capsys.readouterr().out == "Database host: localhost\nDebug mode: False\n"


def test_multi_source_configuration(place: Path, site: GuideSite, monkeypatch: pytest.MonkeyPatch) -> None:
    site.documents["config.company.com/app/config.json"] = {"database": {"host": "remote"}}
    (place / "config" / "local.yaml").write_text("database: {host: local, port: 1}")
    for name, value in {"HOST": "env", "PORT": "2", "USER": "env"}.items():
        monkeypatch.setenv(f"APP_DATABASE_{name}", value)

    async def main() -> None:
        scope = await run(snippet("Multi-Source Configuration"), initialize_config_manager=initialize_config_manager)
        manager: ConfigManager = await scope["setup_production_config"]()

        assert await manager.get_section("database") == {"host": "remote", "port": 1, "user": "env"}
        assert site.headers["authorization"] == "Bearer token"
        assert [source.priority for source in manager.get_sources()] == [20, 10, 5]
        await manager.stop()

    asyncio.run(main())


def test_file_sources_take_the_place_of_variables(
    place: Path, ledger: str, namespace: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "config" / "database.yaml").write_text(snippet("File Sources", language="yaml"))
    monkeypatch.setenv("DB_PORT", "6543")
    monkeypatch.setenv("DB_PASSWORD", "s3cret")

    async def main() -> None:
        scope = await run(snippet("File Sources"), FileConfigSource=FileConfigSource)
        raw = await scope["source"].load_config()
        async with managed(scope["source"]) as manager:
            assert await manager.get_section("database") == {"host": "localhost", "port": 6543, "password": "s3cret"}
            assert await manager.get_section("connection_pool") == {"min_size": 4, "max_size": 20, "timeout": 30}
        assert raw["database"]["password"] == "${DB_PASSWORD}"

    asyncio.run(main())
    client: Any = make_client(redis_url)
    with closing(client):
        blobs = client.hgetall(Keys(namespace).blobs)
    assert (ledger == "redis") is bool(blobs)
    assert not any(b"s3cret" in blob for blob in blobs.values())


def test_environment_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in snippet("Environment Variables", language="bash").splitlines():
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            monkeypatch.setenv(name, value.strip("'"))

    async def main() -> None:
        scope = await run(snippet("Environment Variables"), EnvironmentConfigSource=EnvironmentConfigSource)
        async with managed(scope["source"]) as manager:
            assert await manager.get_config() == {
                "database": {"host": "production-db", "port": 5432},
                "debug": {"mode": False},
                "feature": {"flags": {"new_ui": True, "beta_features": False}},
            }
            assert scope["source"].priority == 15

    asyncio.run(main())


def test_remote_sources(site: GuideSite) -> None:
    site.documents["config-service.company.com/api/v1/config"] = {"a": {"b": 1}}

    async def main() -> None:
        scope = await run(snippet("Remote Sources"), RemoteConfigSource=confbus_publisher.RemoteConfigSource)
        async with managed(scope["source"]) as manager:
            assert await manager.get_config("a.b") == 1
            assert (site.headers["authorization"], site.headers["accept"]) == ("Bearer your-token", "application/json")

    asyncio.run(main())


def test_configuration_rollback(capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        said = Said({"n": 1})
        async with managed(said) as manager:
            said.tree = {"n": 2}
            await manager.reload()

            scope = await run(snippet("Configuration Rollback"), manager=manager, ReloadStatus=ReloadStatus)

            assert scope["result"].errors == ()
            assert await manager.get_config("n") == 1

    asyncio.run(main())
    assert capsys.readouterr().out == "Available versions: 2\nRollback successful\n"


def test_change_subscriptions(capsys: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []

    async def main() -> None:
        said = Said({"database": {"host": "a"}})
        async with managed(said) as manager:
            text = snippet("Change Subscriptions")
            subscribing, unsubscribing = text.split("# Later: unsubscribe\n")
            scope = await run(subscribing, manager=manager, print=printed.append)
            said.tree = {"database": {"host": "b"}}
            await manager.reload()
            await until(lambda: printed)

            await run(unsubscribing, **scope)
            said.tree = {"database": {"host": "c"}}
            await manager.reload()

    asyncio.run(main())
    assert printed == ["Config changed: database.host = b"]
    assert capsys.readouterr().out == ""


def test_performance_monitoring(capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        said = Said({"n": 1})
        async with managed(said) as manager:
            said.failure = ValueError("away")
            await manager.reload()
            metrics = manager.get_metrics()

            await run(snippet("Performance Monitoring"), manager=manager)

            average = f"Average reload time: {metrics.average_reload_time_ms:.1f}ms\n"
            assert capsys.readouterr().out == f"Total reloads: 2\nSuccess rate: 50.0%\n{average}"

    asyncio.run(main())


def test_debug_mode() -> None:
    printed: list[str] = []

    async def main() -> None:
        scope = await run(snippet("Debug Mode"), ConfigManager=ConfigManager, print=printed.append)
        manager: ConfigManager = scope["manager"]
        said = Said({"app": {"debug": False}})
        await manager.add_source(said)
        await manager.start()
        await until(lambda: len(printed) == 1)
        said.tree = {"app": {"debug": True}}
        await manager.reload()
        await until(lambda: len(printed) == 2)
        await manager.stop()

    asyncio.run(main())
    assert printed == ["DEBUG: added app.debug: None -> False", "DEBUG: modified app.debug: False -> True"]


def test_high_availability_setup(place: Path, site: GuideSite, ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    primary, backup = "config-primary.company.com", "config-backup.company.com"
    site.documents = {f"{primary}/config": {"from": "primary"}, f"{backup}/config": {"from": "backup", "b": 1}}
    # Over Redis a start needs every source: what a missing one says would be taken from the whole fleet.
    site.down = {primary} if ledger == "memory" else set()
    (place / "config.yaml").write_text("from: cache\nc: 1")
    monkeypatch.setenv("APP_E", "1")

    def cached(path: str, **options: Any) -> FileConfigSource:
        return FileConfigSource(place / Path(path).name, **options)

    async def main() -> None:
        scope = await run(
            snippet("High Availability Setup"),
            ConfigManager=ConfigManager,
            EnvironmentConfigSource=EnvironmentConfigSource,
            FileConfigSource=cached,
            RemoteConfigSource=partial(confbus_publisher.RemoteConfigSource, interval_s=0.05),
        )
        manager: ConfigManager = await scope["setup_ha_config"]()
        try:
            # When the primary is down at the start, the backup answers for it.
            first = "backup" if site.down else "primary"
            assert await manager.get_config() == {"from": first, "b": 1, "c": 1, "e": 1}
            assert manager.get_metrics().failing_sources_count == len(site.down)

            site.down = set()
            await until_reloaded(manager, {"from": "primary", "b": 1, "c": 1, "e": 1})

            # Then all remotes go down: what they said last stays.
            site.down = {primary, backup}
            result = await manager.reload()
            assert len(result.errors) == 2
            assert await manager.get_config("from") == "primary"
        finally:
            await manager.stop()

    asyncio.run(main())


async def until_reloaded(manager: ConfigManager, document: dict[str, Any]) -> None:
    for _ in range(200):
        await manager.reload()
        if await manager.get_config() == document:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(manager.snapshot)
