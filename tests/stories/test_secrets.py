"""A secret that is referred to: people see where it is, workers have it, and nothing on the way holds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import confbus
from confbus.wire.frozen import is_mapping
from support.eventually import eventually

if TYPE_CHECKING:
    import pytest

    from support.server import Server
    from support.shop import Shop

SECRET = "correct-horse-battery"
SHOP = "number: 1\ndb: {host: a, port: 5432, password: !secret env:DB_PASSWORD}\n"


def stored(server: Server, namespace: str) -> str:
    """All that Redis holds of a namespace."""
    client: Any = server.client()
    readers = {b"hash": client.hgetall, b"stream": client.xrange, b"string": client.get}
    keys = list(client.scan_iter(match=f"*{{{namespace}}}*"))
    assert len(keys) >= 5
    return repr([readers[client.type(key)](key) for key in keys])


def test_people_see_the_reference_wherever_they_look(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)  # Whoever publishes may have it too; it makes no difference.
    shop.confbus("publish")
    shop.write(SHOP)
    planned, published = shop.confbus("plan"), shop.confbus("publish", "-m", "a password")
    shop.write(SHOP.replace("DB_PASSWORD", "NEW_PASSWORD"))

    got, whole = shop.confbus("get", "db.password"), shop.confbus("get", "--output", "json")
    explained, compared = shop.confbus("explain", "db.password"), shop.confbus("plan", "--output", "json")
    logged = shop.confbus("log", "--values")

    assert published.code == 0, published.err
    assert got.out == "!secret env:DB_PASSWORD\n"
    assert whole.data["value"]["db"]["password"] == {"$secret": "env:DB_PASSWORD"}
    assert explained.out.splitlines()[0] == "db.password = !secret env:NEW_PASSWORD"
    [change] = compared.data["changes"]
    assert (change["old"], change["new"]) == ({"$secret": "env:DB_PASSWORD"}, {"$secret": "env:NEW_PASSWORD"})
    assert "db.password  !secret env:DB_PASSWORD" in planned.out
    assert "db.password" in logged.out
    answers = (planned, published, got, whole, explained, compared, logged)
    assert not any(SECRET in answer.out + answer.err for answer in answers)


def test_an_operator_may_set_a_reference_by_hand(shop: Shop) -> None:
    shop.confbus("publish")

    answer = shop.confbus("set", "db.password", json.dumps({"$secret": "env:DB_PASSWORD"}), "--wait", "100ms")
    wrong = shop.confbus("set", "db.password", json.dumps({"$secret": SECRET}))
    listed = shop.confbus("status")
    published = shop.confbus("publish")

    assert (answer.code, published.code) == (4, 0)  # Nobody is there to put it out at once.
    assert "db.password = !secret env:DB_PASSWORD" in listed.out
    assert shop.confbus("get", "db.password").out == "!secret env:DB_PASSWORD\n"
    assert wrong.code == 3
    assert SECRET not in wrong.out + wrong.err


def test_what_would_bring_a_secret_into_redis_is_refused_with_three_ways_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    shop.write(SHOP.replace("!secret env:DB_PASSWORD", "'${DB_PASSWORD}'"))
    refused = shop.confbus("publish")
    shop.settle("checks: {secrets_allow: [{path: db.password, reason: a trial}]}")
    allowed = shop.confbus("publish")
    shop.settle()
    shop.write(SHOP)
    referred = shop.confbus("publish")

    assert (refused.code, allowed.code, referred.code) == (3, 0, 0)
    for way in ("seal: [db]", "!secret env:", "secrets_allow"):
        assert way in refused.err
    assert SECRET not in refused.out + refused.err


def test_no_byte_of_the_secret_is_in_redis_on_disk_or_in_a_log(
    shop: Shop, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    saved = shop.directory / "last"
    shop.write(SHOP)
    shop.confbus("publish")

    def refuse(new: confbus.Snapshot) -> None:
        if is_mapping(new["db"]) and new["db.port"] == 1:
            raise ValueError(f"cannot log in with {new['db.password']}")

    timing = confbus.Timing(report_gap_s=0.0)
    with confbus.connect(
        shop.url or "", namespace=shop.namespace, fallback=saved, validators=[refuse], timing=timing
    ) as config:
        assert config["db.password"] == SECRET
        shop.write(SHOP.replace("5432", "1"))
        shop.confbus("publish")
        eventually(lambda: config.status().state == "vetoing")
        eventually(lambda: "cannot log in" in shop.confbus("fleet").out)
        fleet = shop.confbus("fleet")

        assert "cannot log in with …" in config.status().error
        assert SECRET not in stored(server, shop.namespace) + fleet.out
    assert "env:DB_PASSWORD" in stored(server, shop.namespace)
    files = [file for file in shop.directory.rglob("*") if file.is_file()]
    assert saved in files
    assert not any(SECRET.encode() in file.read_bytes() for file in files)
    assert SECRET not in caplog.text
