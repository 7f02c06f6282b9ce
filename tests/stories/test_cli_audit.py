"""The audit trail that commands leave: who, what, why, what it changed, and what was refused."""

from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING

import pytest

from confbus.client import keys_of, make_client
from confbus_publisher.ledger.redis import RedisStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.ledger import Store
    from support.shop import Shop


@pytest.fixture
def store(redis_url: str, namespace: str) -> Iterator[Store]:
    client = make_client(redis_url)
    store = RedisStore(client, keys_of(client, namespace), where=redis_url)
    yield store
    store.close()


def newest(store: Store) -> dict[str, str]:
    return dict(store.log(1)[0].fields)


def test_whoever_acts_is_named_by_the_option_the_variable_or_the_system(
    shop: Shop, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.confbus("publish")
    by_system = newest(store)["author"]
    monkeypatch.setenv("CONFBUS_AUTHOR", "pipeline 7")
    shop.confbus("rollback", "--to", "1")
    shop.confbus("set", "number", "2", "--wait", "1ms")
    by_variable = newest(store)["author"]
    shop.confbus("unset", "number", "--author", " ann\n\x1b[1m ", "--wait", "1ms")
    by_option = newest(store)["author"]

    assert by_system == f"{getpass.getuser()}@{socket.gethostname()}"
    assert by_variable == "pipeline 7"
    assert by_option == "ann ?[1m"


def test_each_change_tells_its_paths_and_never_a_value(shop: Shop, store: Store) -> None:
    shop.confbus("publish")
    first = newest(store)
    shop.write("number: 1\ndb: {host: s3cret-host, port: 5432, user: new}\n")
    shop.confbus("publish", "-m", "move")
    second = newest(store)
    shop.confbus("rollback")
    third = newest(store)
    shop.confbus("resume", "db")
    fourth = newest(store)

    assert first["changes"] == "+number +db"
    assert (second["changes"], second["message"], second["from"]) == ("~db.host +db.user", "move", "1")
    assert (second["from_digest"], second["digest"]) == (first["digest"], third["from_digest"])
    assert (third["changes"], third["held"]) == ("~db.host -db.user", "db")
    assert (fourth["action"], fourth["lifted"]) == ("resume", "db")
    assert "changes" not in fourth
    assert "s3cret" not in str(store.log(10))


def test_what_is_refused_is_in_the_log_with_who_wanted_what_and_why_not(shop: Shop, store: Store) -> None:
    shop.settle("checks: {rules: ['number < 5']}")
    shop.confbus("publish")
    shop.write("number: 7\n")

    shop.confbus("publish", "-m", "more", "--author", "eve")
    checks = newest(store)
    shop.confbus("rollback", "--author", "eve")
    nowhere = newest(store)
    store.take_lease("somebody", 60_000)
    shop.write("number: 2\n")
    shop.confbus("publish")
    lease = newest(store)

    assert (checks["action"], checks["attempt"], checks["author"], checks["message"]) == (
        "refused",
        "publish",
        "eve",
        "more",
    )
    assert "number < 5" in checks["why"]
    assert (nowhere["attempt"], nowhere["why"]) == ("rollback", "There is no earlier accepted release.")
    assert lease["why"] == "somebody is the active publisher."


def test_an_override_that_is_refused_is_in_the_log_without_its_value(shop: Shop, store: Store) -> None:
    shop.confbus("publish")
    shop.confbus("set", "db", '{"host": "b"}', "--wait", "1ms")

    shop.confbus("set", "db.host", "s3cret")
    shop.confbus("unset", "number")

    unset, refused = (entry.fields for entry in store.log(2))
    assert (unset["attempt"], unset["path"], unset["why"]) == ("unset", "number", "'number' is not overridden.")
    assert (refused["attempt"], refused["path"]) == ("set", "db.host")
    assert "s3cret" not in str(store.log(10))


def test_what_is_done_to_keys_is_in_the_log_and_what_is_refused_of_it(shop: Shop, store: Store) -> None:
    shop.settle("seal: [db]")
    first, second = (shop.confbus("keys", "generate", "--output", "json").data["id"] for _ in range(2))
    shop.confbus("publish")
    shop.confbus("keys", "remove", first, "--author", "eve")
    shop.confbus("keys", "rotate")
    shop.confbus("keys", "rotate")
    shop.confbus("keys", "remove", first)
    shop.confbus("keys", "remove", first, "--force", "--author", "ann")

    entries = [entry.fields for entry in reversed(store.log(20)) if "keys" in str(entry.fields)]
    told = [(each.get("attempt", each["action"]), each.get("why", each.get("message", ""))) for each in entries]
    assert [(action, why.removeprefix("Nothing was written: ").split(".")[0]) for action, why in told] == [
        ("keys generate", f"the key {first} is active"),
        ("keys generate", f"the key {second} is ready"),
        ("keys remove", f"{first} is the active key"),
        ("keys rotate", f"the key {second} is active"),
        ("keys rotate", "no key of the keyring is ready"),
        ("keys remove", f"{first} is needed by version 1"),
        ("keys remove", f"the key {first} is removed by --force"),
    ]
    assert [entry["author"] for entry in entries[2::4]] == ["eve", "ann"]
    lines = shop.confbus("log", "--action", "keys remove").out.splitlines()
    assert lines[1].split()[2:] == f"ann keys remove the key {first} is removed by --force".split()
