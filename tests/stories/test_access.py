"""The whole product, with everybody as a user who has the rights of one role: nothing that is done is refused."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.ledger.scripts import script
from support.access import Users
from support.bus import TIMING
from support.eventually import eventually
from support.managed import managed
from support.places import encoded
from support.said import Said
from support.scale import scaled
from support.secured import secured_server
from support.server import Server
from support.servers import GENERATIONS
from support.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus import Snapshot, Subscriber

PLACES = {each.name: each for each in GENERATIONS if each.name in {"valkey-9", "redis-7.0"}}
SOURCE = "number: {}\ndb: {{host: a, port: 5432}}\n"
BAD = 13


SMALL = ["valkey-9", "redis-7.0 over TLS"]


@pytest.fixture(params=SMALL if scaled(test=1, soak=0) else [*SMALL, "redis-7.0"])
def users(request: pytest.FixtureRequest, _runtime: None, namespace: str, tmp_path: Path) -> Iterator[Users]:
    """A server with a user for each role."""
    with ExitStack() as stack:
        if generation := PLACES.get(request.param):
            binary = generation.find()
            if binary is None:
                pytest.skip(generation.absent)
            server, url = Server(binary, data=tmp_path / "server"), ""
            stack.callback(server.stop)
        else:
            secured, server = stack.enter_context(secured_server(tmp_path))
            url = secured.url()
        yield stack.enter_context(Users(server, namespace, tmp_path, url=url))


@pytest.fixture
def shop(users: Users, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose settings have the publisher's user."""
    directory = tmp_path / "shop"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return Shop(directory, namespace, url=f"'{users.url('publisher')}'")


def refuse_bad(candidate: Snapshot) -> None:
    if candidate["number"] == BAD:
        raise ValueError("not that number")


def reads(config: Subscriber, path: str, value: object) -> None:
    eventually(lambda: config[path] == value, describe=config.status)


@pytest.mark.slow
def test_nothing_that_people_publishers_and_workers_do_is_refused(users: Users, shop: Shop, namespace: str) -> None:
    def operate(*words: str) -> str:
        answer = shop.confbus(words[0], "--url", users.url("operator"), *words[1:])
        assert answer.code in {0, 2}, answer.err
        return answer.out

    # given
    shop.settle("guard: 600ms")
    shop.write(SOURCE.format(1))
    with (
        shop.start("run") as publisher,
        confbus.connect(
            users.url("subscriber"), namespace=namespace, validators=[refuse_bad], timing=TIMING, timeout_s=30
        ) as config,
    ):
        shop.write(SOURCE.format(2))
        reads(config, "number", 2)

        # when
        eventually(lambda: "guarded" in operate("log"))
        shop.write(SOURCE.format(BAD))
        eventually(lambda: "rollback" in operate("log"))
        reads(config, "number", 2)
        shop.write(SOURCE.format(3))
        reads(config, "number", 3)
        operate("rollback")
        reads(config, "number", 2)
        operate("resume")
        reads(config, "number", 3)
        operate("set", "db.port", "6000", "--reason", "a trial")
        reads(config, "db.port", 6000)
        operate("unset", "db.port")
        reads(config, "db.port", 5432)
        for words in ("status", "get", "explain db.host", "history", "log", "diff 1 2", "fleet"):
            operate(*words.split())
        operate("hold", "db", "-m", "wait for the migration")
        operate("resume", "db")
        operate("approve", "ab" * 32, "-m", "we mean it")
        eventually(lambda: by_hand(users) == "rolled back")
        config.explain("db.host")
        eventually(lambda: "held" in operate("status"))  # so the publisher knows what it will write again
        users.admin.flushdb()

        # then
        eventually(lambda: users.admin.exists(users.keys.head))
        shop.write(SOURCE.format(4))
        reads(config, "number", 4)
        assert config.status().state == "live"
        assert publisher.end(signal.SIGTERM) == 0
        shop.write(SOURCE.format(5))
        assert shop.confbus("publish", "--guard", "off").code == 0
        reads(config, "number", 5)
        operate("adopt-head")
        operate("export", "backup")
        users.admin.flushdb()
        operate("import", "backup")
        eventually(lambda: config.status().state == "live")
    assert users.refusals() == []


def test_a_manager_is_a_publisher(users: Users, namespace: str) -> None:
    # On a server that began a moment ago a first release would wait.
    Ledger(RedisStore(users.admin, users.keys, where="here")).publish(encoded({"n": 1}), Why("ann"))

    async def main() -> None:
        said = Said({"n": 1})
        async with managed(said, redis=users.url("publisher"), namespace=namespace) as manager:
            said.tree = {"n": 2}
            await manager.reload()
            await manager.rollback()
            assert manager.snapshot == {"n": 1}

    asyncio.run(main())
    assert users.refusals() == []


def by_hand(users: Users) -> str:
    """What an operator does with redis-cli alone; another one may be faster."""
    from confbus.client import make_client

    keys = users.keys
    client: Any = make_client(users.url("operator"), name="redis-cli")
    try:
        version = int(client.hget(keys.head, "version"))
        names = [keys.head, keys.release(2), keys.release(version + 1), keys.release(version), keys.blobs, keys.log]
        return script("rollback").call(client, [*names, keys.quarantine, keys.notices], ["ann", "by hand"])[0]
    finally:
        client.close()
