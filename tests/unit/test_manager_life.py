"""How long a configuration manager lives, and what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

import confbus_publisher
from confbus.errors import Closed, InvalidSettings, NotStarted, SourceFailed
from confbus_publisher import (
    ConfigManager,
    FileConfigSource,
    ReloadStatus,
    get_config,
    get_config_manager,
    get_config_section,
    initialize_config_manager,
)
from support.eventually import eventually
from support.managed import managed, threads, until
from support.said import Said

if TYPE_CHECKING:
    from pathlib import Path

needs_environment = pytest.mark.skipif(
    not find_spec("confbus_publisher.environment_settings"), reason="nothing here reads CONFIG_DIR"
)
TREE: dict[str, Any] = {"database": {"host": "db-1", "port": 5432}, "nothing": None, "hosts": ["a", "b"]}


def test_start_raises_what_is_wrong_and_may_be_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"

    async def main() -> None:
        manager = ConfigManager(watch_files=False)
        await manager.add_source(FileConfigSource(file))
        with pytest.raises(SourceFailed, match="no such file"):
            await manager.start()
        with pytest.raises(NotStarted):
            await manager.get_config("a")
        assert (await manager.reload()).errors == (
            "The configuration manager was not started. Await its start() first.",
        )

        file.write_text("a: 1")
        await manager.start()

        assert await manager.get_config("a") == 1
        await manager.stop()

    asyncio.run(main())


def test_a_source_is_taken_and_listed_though_whoever_added_it_no_longer_waits() -> None:
    slow = Said({"a": 2}, name="slow", priority=1)
    slow.gate = gate = threading.Event()

    async def main() -> None:
        async with managed(Said({"a": 1})) as manager:
            adding = asyncio.create_task(manager.add_source(slow))
            await until(lambda: slow.loads)
            adding.cancel()
            gate.set()

            await until(lambda: manager.snapshot["a"] == 2)
            await manager.reload()

            assert [source.name for source in manager.get_sources()] == ["said", "slow"]
            assert manager.get_metrics().config_sources_count == 2

    asyncio.run(main())


def test_starting_twice_starts_once() -> None:
    async def main() -> None:
        said = Said(TREE)
        async with managed(said) as manager:
            await asyncio.gather(manager.start(), manager.start())
            assert manager.get_metrics().total_reloads == 1
            assert said.loads == 1

    asyncio.run(main())


def test_a_stopped_manager_can_be_read_and_not_started() -> None:
    async def main() -> None:
        async with managed(Said(TREE)) as manager:
            pass
        await manager.stop()

        assert await manager.get_config("database.port") == 5432
        assert (await manager.reload()).status is ReloadStatus.FAILED
        assert (await manager.rollback()).status is ReloadStatus.FAILED
        with pytest.raises(Closed):
            await manager.start()

    asyncio.run(main())


def test_one_that_is_let_go_leaves_no_thread() -> None:
    async def main() -> weakref.ref[ConfigManager]:
        manager = ConfigManager(watch_files=True)
        await manager.add_source(Said(TREE))
        await manager.start()
        return weakref.ref(manager)

    reference = asyncio.run(main())
    gc.collect()

    assert reference() is None
    eventually(lambda: not threads(), describe=threads)


def test_one_that_was_never_started_stops_and_is_let_go() -> None:
    async def main() -> None:
        await ConfigManager().stop()

    asyncio.run(main())
    gc.collect()

    eventually(lambda: not threads(), describe=threads)


def test_two_managers_in_one_process_know_nothing_of_each_other() -> None:
    async def main() -> None:
        async with managed(Said({"a": 1})) as one, managed(Said({"a": 2})) as other:
            assert (await one.get_config("a"), await other.get_config("a")) == (1, 2)
            assert (await one.rollback()).status is ReloadStatus.FAILED
            assert len(other.get_version_history()) == 1

    asyncio.run(main())


def test_one_event_loop_initializes_and_another_reads() -> None:
    async def initialize(number: int) -> ConfigManager:
        return await initialize_config_manager([Said({"section": {"n": number}})], watch_files=False)

    first = asyncio.run(initialize(1))
    assert asyncio.run(get_config("section.n")) == 1
    assert asyncio.run(first.reload()).status is ReloadStatus.NO_CHANGE

    second = asyncio.run(initialize(2))

    try:
        assert get_config_manager() is second
        assert asyncio.run(get_config_section("section")) == {"n": 2}
        assert asyncio.run(first.reload()).status is ReloadStatus.FAILED  # the new one stopped it
    finally:
        asyncio.run(second.stop())


def test_a_manager_that_cannot_be_initialized_leaves_the_one_before() -> None:
    async def main() -> None:
        manager = await initialize_config_manager([Said({"a": 1})], watch_files=False)
        broken = Said({})
        broken.failure = ValueError("away")

        with pytest.raises(SourceFailed):
            await initialize_config_manager([broken])

        assert get_config_manager() is manager
        assert await get_config("a") == 1
        await manager.stop()

    asyncio.run(main())


def test_reading_without_a_manager_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from confbus_publisher.manager import current

    monkeypatch.setattr(current, "_managers", [])

    assert get_config_manager() is None
    with pytest.raises(NotStarted, match="initialize_config_manager"):
        asyncio.run(get_config("a"))


@pytest.mark.parametrize("options", [{"redis": "redis://localhost"}, {"namespace": "checkout"}])
def test_a_server_needs_a_namespace_and_a_namespace_a_server(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings, match="Give redis= and namespace=, or neither"):
        ConfigManager(**options)


def test_every_name_of_the_guide_is_there_and_no_other() -> None:
    assert all(hasattr(confbus_publisher, name) for name in confbus_publisher.__all__)
    with pytest.raises(AttributeError, match="no attribute 'ConfigManger'"):
        _ = confbus_publisher.ConfigManger


def test_sources_may_be_given_at_once() -> None:
    async def main() -> None:
        manager = ConfigManager(sources=[Said({"a": 1}), Said({"b": 1}, name="other")], watch_files=False)
        await manager.start()

        assert manager.snapshot == {"a": 1, "b": 1}
        assert [source.name for source in manager.get_sources()] == ["said", "other"]
        await manager.stop()

    asyncio.run(main())


@needs_environment
def test_the_environment_of_a_container_says_which_sources_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "database.yaml").write_text("database: {host: db, port: 5432}")
    (tmp_path / "features.yaml").write_text("features: {advanced_ml: {enabled: true}}")
    for name, value in {"CONFIG_DIR": str(tmp_path), "APP_CONFIG_WATCH": "false", "APP_DATABASE_HOST": "env"}.items():
        monkeypatch.setenv(name, value)

    async def main() -> None:
        manager = ConfigManager.from_environment()
        await manager.start()

        assert await manager.get_config() == {
            "database": {"host": "env", "port": 5432},
            "features": {"advanced_ml": {"enabled": True}},
        }
        await manager.stop()

    asyncio.run(main())
