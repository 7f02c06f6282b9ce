"""The command line: who changed what, when and why, as `confbus log` tells it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from confbus.client import keys_of, make_client
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.ledger.scripts import script
from confbus_publisher.overrides import amending
from support.places import encoded
from support.seals import sealed
from support.shop import CONFBUS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.server import Server
    from support.shop import Shop


@pytest.fixture
def store(redis_url: str, namespace: str) -> Iterator[RedisStore]:
    client = make_client(redis_url)
    store = RedisStore(client, keys_of(client, namespace), where=redis_url)
    yield store
    store.close()


@pytest.fixture
def lived(shop: Shop, store: RedisStore) -> Shop:
    """A shop with two versions, a refused third one, and an override."""
    ledger = Ledger(store)
    for number, who in ((1, "ann"), (2, "bob")):
        content = {"number": number, "db": {"host": f"h{number}", "password": f"s3cret{number}", "port": 1}}
        ledger.publish(encoded(content), Why(who, f"to {number}"))
    ledger.refused(Why("eve", "to 9"), "number < 5 does not hold.")
    amending.put(store, ("db", "port"), 2, by="ann", reason="a trial", ttl_s=3600)
    return shop


def entries(shop: Shop, *words: str) -> list[dict[str, Any]]:
    answer = shop.confbus("log", "--output", "json", *words)
    assert answer.code == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


def test_the_newest_comes_first_with_who_what_and_why(lived: Shop) -> None:
    lines = lived.confbus("log").out.splitlines()

    assert lines[0].split() == ["WHEN", "WHO", "ACTION", "VERSION", "WHAT"]
    told = [line.split(maxsplit=2)[2] for line in lines[1:]]
    assert told[0].startswith("ann  set ")
    assert told[0].endswith("a trial (db.port)")
    assert "eve  refused publish" in told[1]
    assert "to 9; " in told[1]
    assert "number < 5" in told[1]
    assert told[2].split(maxsplit=3) == ["bob", "publish", "2", "to 2 (~number ~db.host ~db.password)"]
    assert told[3].split(maxsplit=3) == ["ann", "publish", "1", "to 1 (+number +db)"]


def test_each_line_of_json_is_an_entry(lived: Shop) -> None:
    override, refused, second, first = entries(lived)

    assert (first["version"], first["from"], first["changes"], first["more"]) == (
        1,
        0,
        [
            {"path": "/number", "change": "added", "sealed": False},
            {"path": "/db", "change": "added", "sealed": False},
        ],
        0,
    )
    assert (second["author"], second["message"], second["from_digest"]) == ("bob", "to 2", first["digest"])
    assert (refused["action"], refused["attempt"], refused["author"]) == ("refused", "publish", "eve")
    assert (override["action"], override["path"]) == ("set", "db.port")
    assert "changes" not in override
    assert [entry["id"] for entry in (first, second)] == sorted(entry["id"] for entry in (first, second))
    assert "s3cret" not in str(entries(lived))


def test_entries_are_chosen_by_what_they_say(lived: Shop) -> None:
    def chosen(*words: str) -> list[str]:
        return [entry["action"] + str(entry.get("version", "")) for entry in entries(lived, *words)]

    assert chosen("--action", "publish") == ["publish2", "publish1"]
    assert chosen("--action", "set", "--action", "refused") == ["set", "refused"]
    assert chosen("--author", "a*") == ["set", "publish1"]
    assert chosen("--version", "2") == ["publish2"]
    assert chosen("--path", "db.host") == ["publish2", "publish1"]
    assert chosen("--section", "**.port") == ["set", "publish1"]
    assert chosen("--path", "other") == []
    assert chosen("--count", "1") == ["set"]
    assert chosen("--count", "1", "--action", "publish") == ["publish2"]


def test_entries_are_chosen_by_their_time(lived: Shop) -> None:
    whole = entries(lived)
    second = whole[2]["at"]

    assert entries(lived, "--since", second) == [entry for entry in whole if entry["at"] >= second]
    assert entries(lived, "--until", second) == [entry for entry in whole if entry["at"] <= second]
    assert entries(lived, "--since", "2h") == whole
    assert entries(lived, "--until", "2h") == []
    assert entries(lived, "--since", "2100-01-01") == []


def test_an_entry_of_no_time_that_is_hides_no_other_one(lived: Shop, store: RedisStore) -> None:
    before = entries(lived)
    store.note({"action": "import", "author": "eve", "at": "9" * 15})

    made_up, *others = entries(lived)

    assert made_up["at"].startswith("9999-12-30T")
    assert others == before
    assert lived.confbus("log").out.count("\n") == len(before) + 2


@pytest.mark.parametrize(
    "words", [["--since", "tomorrow"], ["--until", "2h ago"], ["--path", "a..b"], ["--count", "0"]]
)
def test_what_cannot_be_meant_is_a_misuse(lived: Shop, words: list[str]) -> None:
    assert lived.confbus("log", *words).code == 64


def test_values_are_shown_when_asked_for_and_secrets_never(lived: Shop) -> None:
    text = lived.confbus("log", "--values", "--version", "2").out
    second = entries(lived, "--values", "--version", "2")[0]

    assert text.splitlines()[2:] == [
        '  ~ db.host  "h1" -> "h2"',
        "  ~ db.password  *** -> ***",
        "  ~ number  1 -> 2",
    ]
    assert second["values"] == [
        {"path": "/db/host", "change": "modified", "old": "h1", "new": "h2"},
        {"path": "/db/password", "change": "modified", "old": "***", "new": "***"},
        {"path": "/number", "change": "modified", "old": 1, "new": 2},
    ]


def test_values_of_releases_that_are_gone_are_not_guessed(lived: Shop, store: RedisStore, server: Server) -> None:
    server.client().delete(store.keys.release(1))

    assert entries(lived, "--values", "--version", "2")[0]["values"] is None
    assert "not both kept" in lived.confbus("log", "--values", "--version", "2").out


def test_a_rollback_by_hand_is_worked_out_from_what_is_kept(lived: Shop, store: RedisStore, server: Server) -> None:
    keys = store.keys
    names = [keys.head, keys.release(1), keys.release(3), keys.release(2), keys.blobs, keys.log, keys.quarantine]
    client: Any = server.client()
    text = script("rollback").text
    assert client.eval(text, 9, *names, keys.notices, keys.guard, "ann", "too slow")[0] == b"rolled back"

    by_hand = entries(lived, "--action", "rollback", "--path", "db")[0]

    assert (by_hand["version"], by_hand["from"], by_hand["message"]) == (3, 2, "too slow")
    assert [change["path"] for change in by_hand["changes"]] == ["/number", "/db/host", "/db/password"]


def test_a_sealed_section_is_named_and_no_more(lived: Shop, store: RedisStore) -> None:
    ledger = Ledger(store)
    ledger.refresh()
    document = {"number": 3, "db": {"host": "h3", "password": "s3cret3"}}
    ledger.publish(sealed(document, "db", namespace=lived.namespace), Why("ann"))

    text = lived.confbus("log", "--values", "--version", "3").out.splitlines()[1:]
    facts = entries(lived, "--values", "--path", "db.host")[0]

    assert text[0].endswith("~number ~db (sealed)")
    assert text[1:] == ["  ~ number  2 -> 3", "  ~ db  changed (sealed)"]
    assert facts["changes"][1] == {"path": "/db", "change": "modified", "sealed": True}
    assert facts["values"][1] == {"path": "/db", "change": "modified", "sealed": True}


def test_following_shows_what_comes(lived: Shop) -> None:
    words = [CONFBUS, "log", "--follow", "--output", "json", "--action", "rollback", "--action", "publish"]
    with subprocess.Popen(
        words, cwd=lived.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            first = [json.loads(process.stdout.readline())["version"] for _ in range(2)]
            lived.confbus("rollback", "-m", "back")
            new = json.loads(process.stdout.readline())
        finally:
            process.send_signal(2)
        assert process.wait(20) == 0

    assert first == [1, 2]
    assert (new["action"], new["version"], new["message"]) == ("rollback", 3, "back")


def test_an_empty_log_is_said_to_be_empty(shop: Shop) -> None:
    answer = shop.confbus("log")

    assert (answer.code, answer.out) == (0, "")
    assert "no such entry" in answer.err
