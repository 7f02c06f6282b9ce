"""The command line: status, get, history, diff, fleet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.client import keys_of
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus import Snapshot, Subscriber
    from support.server import Server
    from support.shop import Shop

SECOND = "number: 2\ndb: {host: b, port: 5432}\nlong: [a, b]\n"


@pytest.fixture
def published(shop: Shop) -> Shop:
    """A shop with two versions."""
    shop.confbus("publish", "-m", "begin")
    shop.write(SECOND)
    shop.confbus("publish", "-m", "go on")
    return shop


@pytest.fixture
def worker(published: Shop) -> Iterator[Subscriber]:
    """A worker that refuses number 3."""

    def small(snapshot: Snapshot) -> None:
        if snapshot["number"] == 3:
            raise ValueError("number: three is too much")

    assert published.url
    with confbus.connect(published.url, namespace=published.namespace, validators=[small]) as worker:
        yield worker


def vetoed(shop: Shop, worker: Subscriber) -> None:
    shop.write("number: 3\n")
    shop.confbus("publish")
    eventually(lambda: worker.status().state == "vetoing")


def instances(shop: Shop) -> list[Any]:
    found: list[Any] = shop.confbus("fleet", "--output", "json").data["instances"]
    return found


def test_a_text_is_printed_as_it_is(published: Shop) -> None:
    answer = published.confbus("get", "db.host")

    assert (answer.code, answer.out) == (0, "b\n")


@pytest.mark.parametrize(("path", "text"), [("number", "2\n"), ("long[1]", "b\n"), ("long", '[\n  "a",\n  "b"\n]\n')])
def test_everything_else_is_printed_as_json(published: Shop, path: str, text: str) -> None:
    assert published.confbus("get", path).out == text


def test_without_a_path_the_whole_configuration_is_printed(published: Shop) -> None:
    answer = published.confbus("get", "--output", "json")

    whole = {"number": 2, "db": {"host": "b", "port": 5432}, "long": ["a", "b"]}
    assert answer.data == {"version": 2, "path": "", "value": whole}


def test_an_older_version_can_be_read(published: Shop) -> None:
    assert published.confbus("get", "db.host", "--version", "1").out == "a\n"


def test_a_path_that_is_not_there_fails_with_the_nearest_one(published: Shop) -> None:
    answer = published.confbus("get", "db.hots")

    assert (answer.code, answer.out) == (1, "")
    assert "Did you mean 'db.host'?" in answer.err


def test_what_is_no_path_is_a_misuse(published: Shop) -> None:
    assert published.confbus("get", "db..host").code == 64


def test_a_version_that_is_not_kept_fails(published: Shop) -> None:
    answer = published.confbus("get", "db.host", "--version", "9")

    assert answer.code == 1
    assert "Version 9 is not kept" in answer.err


def test_the_history_tells_who_did_what_and_where_the_head_is(published: Shop) -> None:
    published.confbus("rollback", "-m", "too slow")

    head, third, second, first = published.confbus("history").out.splitlines()

    assert head.split() == ["VERSION", "WHEN", "WHO", "CHANGED", "MESSAGE"]
    assert third.startswith("* 3 = v1 ")
    assert third.endswith("  2  too slow")
    assert second.startswith("  2 ")
    assert second.endswith("  2  go on")
    assert first.endswith("  2  begin")


def test_the_history_for_programs_names_the_changed_sections(published: Shop) -> None:
    releases = published.confbus("history", "--output", "json").data["releases"]

    assert [(each["version"], each["is_head"], each["sections"]) for each in releases] == [
        (2, True, [".", "db"]),
        (1, False, [".", "db"]),
    ]
    assert releases[0]["at"].endswith("Z")


def test_of_a_release_without_its_parent_nobody_knows_what_changed(published: Shop, server: Server) -> None:
    client = server.client()
    client.delete(keys_of(client, published.namespace).release(1))

    answer = published.confbus("history", "--output", "json")

    assert [each["sections"] for each in answer.data["releases"]] == [None]
    assert published.confbus("history").out.splitlines()[1].split()[-3] == "?"


def test_the_history_can_be_cut(published: Shop) -> None:
    releases = published.confbus("history", "--count", "1", "--output", "json").data["releases"]

    assert [(each["version"], each["sections"]) for each in releases] == [(2, [".", "db"])]


def test_an_empty_namespace_has_no_history(shop: Shop) -> None:
    answer = shop.confbus("history")

    assert (answer.code, answer.out) == (0, "")
    assert "Nothing is published" in answer.err


def test_two_versions_differ_leaf_by_leaf(published: Shop) -> None:
    answer, last = published.confbus("diff", "1", "2"), published.confbus("diff")

    assert answer == last
    assert answer.code == 2
    assert answer.out.splitlines() == ['~ db.host  "a" -> "b"', '+ long  ["a", "b"]', "~ number  1 -> 2"]


def test_a_first_version_replaced_none(shop: Shop) -> None:
    shop.confbus("publish")

    answer = shop.confbus("diff")

    assert answer.code == 1
    assert "Version 1 replaced none" in answer.err


def test_a_version_does_not_differ_from_itself(published: Shop) -> None:
    answer = published.confbus("diff", "2", "--output", "json")

    assert (answer.code, answer.data) == (0, {"from": 2, "to": 2, "changes": []})


def test_the_fleet_is_listed_with_what_each_runs(published: Shop, worker: Subscriber) -> None:
    eventually(lambda: instances(published))

    answer = published.confbus("fleet")

    assert [line.split()[:3] for line in answer.out.splitlines()] == [
        ["INSTANCE", "STATE", "VERSION"],
        [worker.instance, "live", "2"],
    ]
    assert answer.err == "1 instance: 1 live.\n"


def test_an_instance_that_refuses_says_why(published: Shop, worker: Subscriber) -> None:
    vetoed(published, worker)

    eventually(lambda: [each["state"] for each in instances(published)] == ["vetoing"])

    assert "three is too much" in published.confbus("fleet").out
    assert published.confbus("fleet", "--output", "json").data["states"] == {"vetoing": 1}


def test_an_instance_cannot_drive_the_terminal_of_who_looks(published: Shop, server: Server) -> None:
    client = server.client()
    report = '{"state": "live", "interval_s": 30, "at": 99999999999999, "error": "\\u001b[2J\\ud800"}'
    client.hset(keys_of(client, published.namespace).fleet, "w\x1b]0;x\x07", report)

    answers = [published.confbus(command) for command in ("fleet", "status")]

    assert not any("\x1b" in answer.out + answer.err or "\x07" in answer.out for answer in answers)
    assert [each["error"] for each in instances(published)] == ["\x1b[2J?"]


def test_nobody_there_is_said_in_words(shop: Shop) -> None:
    answer = shop.confbus("fleet")

    assert (answer.code, answer.out, answer.err) == (0, "", "no instance reports.\n")


def test_the_status_shows_head_publisher_quarantine_and_laggards(published: Shop, worker: Subscriber) -> None:
    published.confbus("rollback", "-m", "too slow")
    vetoed(published, worker)

    def said() -> str:
        text = " ".join(published.confbus("status").out.split())
        return text if "fleet 1 instance: 1 vetoing" in text else ""

    text = eventually(said)
    assert text.startswith(f"{published.namespace} at unix:")
    assert "head version 4, 0 s ago" in text
    assert "publisher none is active" in text
    assert "quarantine top-level values (.): rolled back by" in text
    assert f"not at version 4: {worker.instance}; `confbus fleet` says why" in text


def test_the_status_for_programs_has_every_key_even_of_an_empty_namespace(shop: Shop) -> None:
    empty = shop.confbus("status", "--output", "json").data
    shop.confbus("publish")
    full = shop.confbus("status", "--output", "json").data

    assert empty["head"] is None
    assert full["head"]["version"] == 1
    assert (
        empty.keys()
        == full.keys()
        == {
            *(
                "namespace",
                "url",
                "damage",
                "head",
                "active",
                "standby",
                "warnings",
                "quarantine",
                "holds",
                "guard",
                "overrides",
                "approvals",
                "fleet",
            ),
        }
    )


def test_one_that_was_active_and_went_silent_is_told_from_one_that_stands_by(published: Shop, server: Server) -> None:
    client = server.client()
    now = int(client.time()[0]) * 1000
    for name, state, lease in (("a:1:1", "in step", "active"), ("b:1:1", "standby", "standby")):
        facts = {"state": state, "error": "c:1:1 is active", "role": "publisher", "labels": {"lease": lease}}
        report = json.dumps({**facts, "at": now, "interval_s": 30})
        client.hset(keys_of(client, published.namespace).fleet, name, report)

    lines = [line.split(maxsplit=1) for line in published.confbus("status").out.splitlines()]

    assert [line for line in lines if line[0] == "standby"] == [["standby", "a:1:1, was active, and silent for 0 s"]]
    assert ["b:1:1"] in lines


def test_the_status_of_a_damaged_head_is_shown_all_the_same(published: Shop, server: Server) -> None:
    client = server.client()
    client.delete(keys_of(client, published.namespace).release(2))

    answer = published.confbus("status")

    assert answer.code == 0
    assert "release 2 is malformed" in answer.out
