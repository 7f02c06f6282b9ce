"""A configuration manager that seals sections: it reads them, and Redis does not."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidSettings, SealedError
from confbus_publisher import ConfigManager
from confbus_publisher.manager.environment import sources_of
from support.managed import managed, told
from support.said import Said
from support.sealed_bus import SECRET, SealedBus, document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from support.server import Server

ALLOWED: dict[str, Any] = {"secrets_allow": {"db.password": "it is sealed, and no secret"}}


@pytest.fixture
def bus(server: Server, namespace: str, tmp_path: Path) -> Iterator[SealedBus]:
    with SealedBus(server.url, namespace, tmp_path) as bus:
        yield bus


def begin(bus: SealedBus, tree: dict[str, Any]) -> Path:
    """The keyring of whoever publishes there; `tree` is out already, so that nobody waits at a server that is new."""
    keys = bus.keyring("ann", "k1")
    publisher = bus.resting(1)
    bus.edits.write(tree)
    publisher.turn()
    publisher.ledger.store.drop_lease(publisher.identity)
    publisher.ledger.store.close()
    return keys


def sealing(bus: SealedBus, said: Said, keys: Path) -> AbstractAsyncContextManager[ConfigManager]:
    return managed(said, redis=bus.url, namespace=bus.namespace, seal=["db"], keys=keys, **ALLOWED)


def test_a_manager_reads_what_it_seals_and_nobody_reads_it_in_redis(bus: SealedBus) -> None:
    async def main() -> None:
        said = Said(document(1))
        async with sealing(bus, said, begin(bus, document(1))) as manager:
            assert manager.snapshot == document(1)
            said.tree = document(2)
            assert told(await manager.reload()) == ("success", ["db.number", "db.password", "number", "web.number"])
            assert await manager.rollback()
            assert manager.snapshot == document(1)
            assert SECRET.encode() not in bus.dump()

    asyncio.run(main())


def test_a_new_key_is_no_change_for_its_readers(bus: SealedBus) -> None:
    async def main() -> None:
        said = Said(document(1))
        async with sealing(bus, said, begin(bus, document(1))) as manager:
            bus.keyring("ann", "k2", "k1")

            result = await manager.reload()

            assert told(result)[1] == []
            assert (manager.snapshot, bus.key()) == (document(1), "k2")

    asyncio.run(main())


def test_without_a_keyring_a_manager_publishes_nothing_and_reads_the_rest(bus: SealedBus, tmp_path: Path) -> None:
    begin(bus, document(1))

    async def main() -> None:
        async with sealing(bus, Said(document(2)), tmp_path / "none") as manager:
            assert manager.snapshot["number"] == 1
            with pytest.raises(SealedError):
                manager.snapshot["db.number"]
            assert "`confbus keys generate`" in (await manager.reload()).errors[0]

    asyncio.run(main())
    assert bus.actions() == ["publish", "refused"]


def test_in_one_process_there_is_nothing_to_seal(tmp_path: Path) -> None:
    async def main() -> None:
        async with managed(Said(document(1)), seal=["db"], keys=tmp_path / "none") as manager:
            assert manager.snapshot == document(1)

    asyncio.run(main())


def test_variables_say_what_is_sealed_where_there_is_no_file(
    bus: SealedBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "app.yaml").write_text("db: {number: 1}\n")
    monkeypatch.setenv("CONFIG_DIR", str(config))
    monkeypatch.setenv("APP_CONFIG_SOURCES", "file")
    monkeypatch.setenv("APP_CONFIG_SEAL", "db")
    monkeypatch.setenv("CONFBUS_KEYS", str(begin(bus, {"db": {"number": 1}})))

    async def main() -> None:
        manager = ConfigManager.from_environment(redis=bus.url, namespace=bus.namespace)
        try:
            await manager.start()
            assert manager.snapshot == {"db": {"number": 1}}
            assert bus.key() == "k1"
        finally:
            await manager.stop()

    asyncio.run(main())


@pytest.mark.parametrize("seal", ["db", ["db.password"], ["."]])
def test_what_is_no_section_of_its_own_is_refused_at_once(seal: Any) -> None:
    with pytest.raises(InvalidSettings, match=r"ConfigManager\(seal=\)"):
        ConfigManager(seal=seal)


def test_the_environment_may_name_a_key_with_a_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("APP_CONFIG_SEAL", '["a.b"], db')

    settings = sources_of(os.environ)[1]

    assert settings.seal == ("a.b", "db")
    assert ConfigManager.from_environment()
