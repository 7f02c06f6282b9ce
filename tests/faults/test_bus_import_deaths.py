"""The server is killed in the middle of an import: nothing of it is seen, and the same import makes it whole."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

import confbus
from confbus.client import keys_of, make_client
from confbus.errors import OutcomeUnknown, Unreachable
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.ledger.redis import RedisStore
from support.bus import MortalStore
from support.exports import DOCUMENTS, backup, exported, imported, live
from support.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path

    from support.server import Server


CALLS = ["lease", "head", "blobs", "head again", "leave the blobs", "leave the releases", "log", "install"]
"""Of an import, in this order."""


def past() -> bytes:
    store = MemoryStore()
    live(store)
    return exported(store)


RAW = past()


def cut_short(server: Server, namespace: str, *, at: int) -> bool:
    """The server dies before call number `at` of an import, if there is one."""
    client = make_client(server.url, namespace=namespace)
    store = MortalStore(client, keys_of(client, namespace), where=server.url, patience_s=0.0)
    store.stop_before(at, server.kill)
    try:
        imported(store, RAW)
    except (Unreachable, OutcomeUnknown):
        return True
    finally:
        store.close()
    return False


@pytest.fixture
def shop(own_server: Server, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose directory has the export."""
    (tmp_path / "shop.jsonl").write_bytes(RAW)
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path, namespace, url=own_server.url)


@pytest.mark.slow
def test_an_import_whose_server_is_killed_at_any_step_is_nothing_until_it_is_run_again(
    own_server: Server, shop: Shop
) -> None:
    step = 0
    for step in count():
        name = f"{shop.namespace}-{step}"
        was_killed = cut_short(own_server, name, at=step)
        own_server.restart()

        seen = shop.confbus("get", "n", "-n", name)
        again = shop.confbus("import", "shop.jsonl", "-n", name)

        assert (seen.code, seen.out) == ((1, "") if was_killed else (0, "0\n"))
        assert (again.code, again.out) == (0, f"{name} is at version 4 now, with 4 releases and 7 blobs.\n")
        assert_whole(own_server, name)
        if not was_killed:
            break

    assert step == len(CALLS)


def test_an_import_that_a_server_partly_forgot_is_made_whole_by_the_next(own_server: Server, shop: Shop) -> None:
    assert cut_short(own_server, shop.namespace, at=CALLS.index("leave the releases"))
    own_server.restart()
    dump = own_server.dump()
    assert cut_short(own_server, shop.namespace, at=CALLS.index("install"))
    own_server.restart(dump=dump)

    again = shop.confbus("import", "shop.jsonl")

    assert (again.code, again.err) == (0, "")
    assert_whole(own_server, shop.namespace)


def assert_whole(server: Server, namespace: str) -> None:
    """Everything of the export is there once, and a worker reads it."""
    client = make_client(server.url, namespace=namespace)
    store = RedisStore(client, keys_of(client, namespace), where=server.url)
    there, first = backup(exported(store)).image, backup(RAW).image
    store.close()
    assert (there.log[:-1], there.log[-1].fields["action"]) == (first.log, "import")
    assert replace(there, log=()) == replace(first, log=())
    with confbus.connect(server.url, namespace=namespace) as worker:
        assert worker.section("db") == DOCUMENTS[0]["db"]
