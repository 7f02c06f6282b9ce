"""Secrets in a process that is publisher and reader at once, with and without Redis."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import ChecksFailed, ConfigRefused
from confbus.wire.reference import Reference
from confbus_publisher import EnvironmentConfigSource, FileConfigSource
from confbus_publisher.sealing.key_file import KeyFile
from support.managed import managed, until
from support.said import Said
from support.seals import ring

if TYPE_CHECKING:
    from pathlib import Path

    import confbus

SECRET = "correct-horse"


@pytest.fixture(params=["memory", "redis"])
def place(request: pytest.FixtureRequest, namespace: str) -> dict[str, Any]:
    """Where a manager publishes."""
    if request.param == "memory":
        return {}
    return {"redis": request.getfixturevalue("redis_url"), "namespace": namespace}


def test_readers_of_a_manager_have_the_secret(
    place: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    (tmp_path / "key").write_text("k1\n")
    file = tmp_path / "app.yaml"
    file.write_text(f"database: {{password: !secret env:DB_PASSWORD, key: !secret file:{tmp_path}/key}}\n")

    async def main() -> None:
        judged: list[confbus.Snapshot] = []
        async with managed(FileConfigSource(str(file)), validators=[judged.append], **place) as manager:
            assert await manager.get_config("database.password") == SECRET
            assert await manager.get_section("database") == {"password": SECRET, "key": "k1"}
            assert {snapshot["database.password"] for snapshot in judged} == {SECRET}

    asyncio.run(main())


def test_a_reference_that_leads_nowhere_refuses_the_start(place: dict[str, Any]) -> None:
    async def main() -> None:
        said = Said({"database": {"password": {"$secret": "env:NOT_SET_HERE"}}})
        async with managed(said, start_timeout_s=20.0, **place):
            pass

    with pytest.raises(ConfigRefused, match=r"database\.password: !secret env:NOT_SET_HERE: the variable is not set"):
        asyncio.run(main())


def test_in_memory_a_secret_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confbus_publisher.manager.reader.SECRETS_REFRESH_S", 0.0)
    key = tmp_path / "key"
    key.write_text("k1")

    async def main() -> None:
        said = Said({"web": {"key": Reference(f"file:{key}")}})
        async with managed(said, check_interval_s=0.02) as manager:
            version = manager.snapshot.version
            key.write_text("k2, longer")
            await until(lambda: manager.snapshot["web.key"] == "k2, longer")
            assert manager.snapshot.version == version

    asyncio.run(main())


def test_a_variable_does_not_go_out_to_redis_as_plain_text(
    redis_url: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_DATABASE_PASSWORD", SECRET)
    keys = KeyFile(tmp_path / "keys")
    keys.write(ring("k1"))
    place: dict[str, Any] = {"redis": redis_url, "namespace": namespace}

    async def read(**options: Any) -> Any:
        async with managed(EnvironmentConfigSource("APP_"), **options) as manager:
            return await manager.get_config("database.password")

    with pytest.raises(ChecksFailed, match="Three ways out") as caught:
        asyncio.run(read(**place))

    assert SECRET not in str(caught.value)
    assert asyncio.run(read()) == SECRET
    assert asyncio.run(read(**place, secrets_allow={"database.password": "a trial"})) == SECRET
    assert asyncio.run(read(**place, seal=["database"], keys=keys.path)) == SECRET
