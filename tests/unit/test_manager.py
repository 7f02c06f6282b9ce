"""A configuration manager in a process of its own: what it reads, what it tells, and how long it lives."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidSettings, MergeConflict, SourceFailed
from confbus_publisher import (
    ConfigManager,
    EnvironmentConfigSource,
    FileConfigSource,
    ReloadStatus,
    function_source,
)
from support.managed import QUIET_S, managed, told, until
from support.said import Said

if TYPE_CHECKING:
    from pathlib import Path

TREE: dict[str, Any] = {"database": {"host": "db-1", "port": 5432}, "nothing": None, "hosts": ["a", "b"]}


async def edited(file: Path, manager: ConfigManager) -> None:
    """Edit `file` until the manager hears of it: the watch begins some time after the start."""
    numbers = itertools.count(2)
    before = manager.snapshot

    def is_heard() -> bool:
        draft = file.with_suffix(".new")
        draft.write_text(f"a: {next(numbers)}")
        draft.replace(file)
        return bool(manager.snapshot["a"] != before["a"])

    await until(is_heard)


def test_values_are_read_by_path() -> None:
    async def main() -> None:
        async with managed(Said(TREE)) as manager:
            assert await manager.get_config("database.host") == "db-1"
            assert await manager.get_config("hosts[1]", "x") == "b"
            assert await manager.get_config("nothing", "a null is a value") is None
            assert await manager.get_config("database.user", "nobody") == "nobody"
            assert await manager.get_config("database.user") is None
            assert json.loads(json.dumps(await manager.get_config())) == TREE

    asyncio.run(main())


def test_a_section_is_a_mapping_and_empty_when_it_is_not_there() -> None:
    async def main() -> None:
        async with managed(Said(TREE)) as manager:
            assert await manager.get_section("database") == {"host": "db-1", "port": 5432}
            assert (await manager.get_section("cache")).get("ttl", 60) == 60
            with pytest.raises(TypeError, match="'hosts' is no section"):
                await manager.get_section("hosts")

    asyncio.run(main())


def test_what_is_read_cannot_be_changed() -> None:
    async def main() -> None:
        async with managed(Said(TREE)) as manager:
            section = await manager.get_section("database")
            with pytest.raises(TypeError, match="thaw"):
                section["host"] = "x"

    asyncio.run(main())


def test_the_higher_priority_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE_HOST", "from-env")
    (tmp_path / "app.yaml").write_text("database: {host: from-file, port: 1}")

    async def main() -> None:
        low, high = EnvironmentConfigSource("SHOP_", priority=5), FileConfigSource(tmp_path / "app.yaml")
        async with managed(high, low) as manager:
            assert await manager.get_section("database") == {"host": "from-file", "port": 1}
        async with managed(high, EnvironmentConfigSource("SHOP_", priority=15)) as manager:
            assert await manager.get_section("database") == {"host": "from-env", "port": 1}

    asyncio.run(main())


def test_a_reload_tells_what_changed() -> None:
    async def main() -> None:
        said = Said({"a": {"b": 1}, "c": 1})
        async with managed(said) as manager:
            assert told(await manager.reload()) == ("no change", [])

            said.tree = {"a": {"b": 2}, "d": 1}
            result = await manager.reload()

            assert told(result) == ("success", ["a.b", "c", "d"])
            assert [change.change_type.value for change in result.changes] == ["modified", "removed", "added"]
            assert (result.changes[0].old_value, result.changes[0].new_value) == (1, 2)
            assert (result.version, result.errors) == (2, ())

    asyncio.run(main())


def test_a_reload_of_one_source_asks_it_anew() -> None:
    async def main() -> None:
        answers = iter(range(10))
        counted = function_source(lambda: {"n": next(answers)}, name="counted", interval_s=QUIET_S)
        async with managed(counted, Said({"a": 1})) as manager:
            assert (await manager.reload("said")).status is ReloadStatus.NO_CHANGE
            assert (await manager.reload("counted")).status is ReloadStatus.SUCCESS

            unknown = await manager.reload("county")

            assert unknown.status is ReloadStatus.FAILED
            assert unknown.errors == ("There is no source 'county'. There are counted, said.",)

    asyncio.run(main())


def test_an_edited_file_is_read_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text("a: 1")

    async def main() -> None:
        async with managed(FileConfigSource(file), watch_files=True) as manager:
            await edited(file, manager)

    asyncio.run(main())


def test_a_file_that_is_added_later_is_watched_too(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text("a: 1")

    async def main() -> None:
        async with managed(Said({"b": 1}), watch_files=True) as manager:
            await manager.add_source(FileConfigSource(file))
            assert manager.snapshot == {"a": 1, "b": 1}
            await edited(file, manager)

    asyncio.run(main())


def test_a_change_beside_a_failure_is_partial() -> None:
    async def main() -> None:
        said, other = Said({"a": 1}), Said({"b": 1}, name="other")
        async with managed(said, other) as manager:
            said.failure, other.tree = ValueError("away"), {"b": 2}

            result = await manager.reload()

            assert told(result) == ("partial", ["b"])
            assert result.errors == ("said: ValueError: away. Its last good values stay.",)
            assert manager.snapshot == {"a": 1, "b": 2}

    asyncio.run(main())


def test_asking_a_file_whether_it_changed_consumes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text("a: 1")

    async def main() -> None:
        source = FileConfigSource(file)
        assert await source.is_modified()
        async with managed(source) as manager:
            assert not await source.is_modified()
            file.write_text("a: 2")
            assert [await source.is_modified(), await source.is_modified()] == [True, True]
            assert await source.load_config() == {"a": 2}
            assert told(await manager.reload()) == ("success", ["a"])
            assert not await source.is_modified()
            file.unlink()
            with pytest.raises(SourceFailed, match="no such file"):
                await source.is_modified()

    asyncio.run(main())


def test_values_that_their_source_refuses_never_become_a_version(tmp_path: Path) -> None:
    class Careful(FileConfigSource):
        async def validate_config(self, config: dict[str, Any]) -> tuple[bool, list[str]]:
            return ("debug" not in config, ["debug must not be set"])

    file = tmp_path / "app.yaml"
    file.write_text("a: 1")

    async def main() -> None:
        async with managed(Careful(file)) as manager:
            file.write_text("a: 2\ndebug: true")

            result = await manager.reload()

            assert result.status is ReloadStatus.VALIDATION_FAILED
            assert "debug must not be set" in result.errors[0]
            assert str(file) in result.errors[0]
            assert manager.snapshot == {"a": 1}
            assert len(manager.get_version_history()) == 1

    asyncio.run(main())


def test_a_file_source_that_decrypts_is_an_own_source(tmp_path: Path) -> None:
    class Shouting(FileConfigSource):
        async def load_config(self) -> dict[str, Any]:
            return {key: str(value).upper() for key, value in (await super().load_config()).items()}

    file = tmp_path / "app.yaml"
    file.write_text("a: quiet")

    async def main() -> None:
        async with managed(Shouting(file), watch_files=True) as manager:
            assert manager.snapshot == {"a": "QUIET"}
            await edited(file, manager)

    asyncio.run(main())


def test_versions_are_listed_the_newest_first() -> None:
    async def main() -> None:
        said = Said({"n": 0})
        async with managed(said, max_config_versions=3, author="ann") as manager:
            for number in range(1, 5):
                said.tree = {"n": number}
                await manager.reload()

            versions = manager.get_version_history()

            assert [version.version for version in versions] == [5, 4, 3]
            assert {version.author for version in versions} == {"ann"}
            assert versions[0].timestamp.tzinfo is None

    asyncio.run(main())


def test_a_source_is_added_whole_or_not_at_all() -> None:
    async def main() -> None:
        async with managed(Said(TREE)) as manager:
            broken, clashing = Said({}, name="broken"), Said({"database": "none"}, name="clashing")
            broken.failure = ValueError("away")
            for source, error in ((broken, SourceFailed), (clashing, MergeConflict), (Said({}), InvalidSettings)):
                with pytest.raises(error):
                    await manager.add_source(source)

            assert [source.name for source in manager.get_sources()] == ["said"]
            assert told(await manager.reload()) == ("no change", [])

    asyncio.run(main())


def test_a_manager_without_sources_reads_as_empty() -> None:
    async def main() -> None:
        async with managed() as manager:
            assert await manager.get_config() == {}
            assert await manager.get_section("database") == {}

    asyncio.run(main())


@pytest.mark.slow
def test_readers_in_many_threads_see_whole_versions_while_many_tasks_reload() -> None:
    async def main() -> None:
        said = Said({"one": {"n": 0}, "two": {"n": 0}})
        torn: list[object] = []
        is_over = threading.Event()
        async with managed(said) as manager:

            def read() -> None:
                while not is_over.is_set():
                    document = asyncio.run(manager.get_config())
                    if document["one"] != document["two"]:
                        torn.append(document)

            readers = [threading.Thread(target=read) for _ in range(3)]
            for reader in readers:
                reader.start()
            for number in range(1, 20):
                said.tree = {"one": {"n": number}, "two": {"n": number}}
                await asyncio.gather(*(manager.reload() for _ in range(50)))
            is_over.set()
            for reader in readers:
                reader.join()

            assert torn == []
            assert manager.snapshot == said.tree
            assert manager.get_metrics().current_version == 20

    asyncio.run(main())
