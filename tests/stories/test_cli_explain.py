"""The command line: explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus.client import keys_of, make_client
from confbus.wire import origins

if TYPE_CHECKING:
    from support.shop import Shop

BASE = "db: {host: a, port: 5432, password: hunter2}\nhosts: [one]\nold: 1\n"
LOCAL = "db:\n  port: 5433\nhosts: [two]\nold: !delete\n"


@pytest.fixture
def layered(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop with three layers, published once."""
    monkeypatch.setenv("SHOP_DB_HOST", "b")
    shop.write(BASE)
    (shop.directory / "config" / "local.yaml").write_text(LOCAL)
    (shop.directory / "confbus.yaml").write_text(
        f"namespace: {shop.namespace}\nredis: {shop.url}\nmerge: {{hosts: append}}\n"
        "checks: {secrets: warn}\nsources:\n"
        "  - file: config/app.yaml\n  - {file: config/local.yaml, priority: 1}\n  - {env: SHOP_, priority: 2}\n"
    )
    assert shop.confbus("publish", "-m", "begin").code == 0
    return shop


def layers(shop: Shop, path: str, *words: str) -> list[Any]:
    [value] = shop.confbus("explain", path, "--output", "json", *words).data["values"]
    return [(layer["effect"], layer["place"], layer.get("value")) for layer in value["layers"]]


def elsewhere(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Go where there is no settings file; the words that name the namespace."""
    (shop.directory / "empty").mkdir()
    monkeypatch.chdir(shop.directory / "empty")
    assert shop.url
    return ["--url", shop.url, "-n", shop.namespace]


def test_every_layer_is_told_with_its_place_and_value(layered: Shop) -> None:
    assert layers(layered, "db.host") == [("wins", "$SHOP_DB_HOST", "b"), ("loses", "config/app.yaml:1:6", "a")]
    assert layers(layered, "db.port") == [
        ("wins", "config/local.yaml:2:3", 5433),
        ("loses", "config/app.yaml:1:15", 5432),
    ]
    assert layers(layered, "hosts") == [
        ("joined", "config/local.yaml:3:1", ["two"]),
        ("joined", "config/app.yaml:2:1", ["one"]),
    ]


def test_a_value_is_told_with_the_version_that_brought_it(layered: Shop) -> None:
    layered.write(BASE.replace("port: 5432", "port: 1"))
    layered.confbus("publish")
    layered.write(BASE.replace("[one]", "[three]"))
    layered.confbus("publish", "-m", "another host")

    old, new = (layered.confbus("explain", path).out.splitlines()[-1] for path in ("db.host", "hosts"))

    assert old.startswith("so since version 1,")
    assert old.endswith(": begin")
    assert new.startswith("so since version 2,")
    assert new.endswith(": another host")


def test_what_people_put_on_top_is_told_beside_the_sources(layered: Shop) -> None:
    layered.confbus("set", "db.port", "6000", "--wait", "1ms")
    layered.confbus("publish")

    answer = layered.confbus("explain", "db.port")

    assert answer.out.splitlines()[0] == "db.port = 6000"
    assert answer.out.splitlines()[2].split() == ["wins", "6000", "`confbus", "unset", "db.port`", "override"]
    assert answer.out.splitlines()[-1].startswith("so since version 2,")


def test_what_is_not_published_yet_says_so(layered: Shop) -> None:
    layered.write(BASE.replace("host: a", "host: c").replace("[one]", "[four]"))

    answer = layered.confbus("explain", "hosts")

    assert answer.out.splitlines()[0] == 'hosts = ["four", "two"]'
    assert answer.out.splitlines()[-1] == "not published: version 1 has another value there"


def test_what_no_release_has_yet_is_told_so(layered: Shop) -> None:
    layered.write(BASE + "new: 1\n")

    answer = layered.confbus("explain", "new")

    assert answer.out.splitlines()[-1] == "not published: version 1 has no value there"


def test_without_the_sources_it_tells_what_went_out_with_the_release(
    layered: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = elsewhere(layered, monkeypatch)

    assert layers(layered, "db.host", *there) == [
        ("wins", "$SHOP_DB_HOST", "b"),
        ("loses", "config/app.yaml:1:6", None),
    ]
    assert [effect for effect, _, _ in layers(layered, "hosts[1]", *there)] == ["joined", "joined"]


def test_no_secret_is_shown(layered: Shop) -> None:
    answers = [layered.confbus("explain", path) for path in ("db.password", "db")]
    answers.append(layered.confbus("explain", "db.password", "--output", "json"))

    assert all("***" in answer.out and "hunter2" not in answer.out for answer in answers)


def test_a_section_and_the_whole_are_told_in_a_line_for_each_value(layered: Shop) -> None:
    section = layered.confbus("explain", "db").out.splitlines()
    whole = layered.confbus("explain", "--all").out.splitlines()

    assert [line.split()[0] for line in section] == ["PATH", "db.host", "db.password", "db.port"]
    assert section[1].split() == ["db.host", '"b"', "$SHOP_DB_HOST"]
    assert [line.split()[0] for line in whole[1:]] == ["db.host", "db.password", "db.port", "hosts"]


def test_an_unknown_path_suggests_the_nearest(layered: Shop) -> None:
    answer = layered.confbus("explain", "db.prot")

    assert answer.code == 1
    assert "No value at 'db.prot'" in answer.err
    assert "Did you mean 'db.port'?" in answer.err
    assert "explain --all" in layered.confbus("explain", "something.else").err


def test_it_asks_for_a_path(layered: Shop) -> None:
    assert layered.confbus("explain").code == 64


def test_origins_that_are_gone_are_said_to_be_gone(layered: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert layered.url
    client: Any = make_client(layered.url)
    keys = keys_of(client, layered.namespace)
    for digest in client.hget(keys.release(1), "origins").split():
        client.hdel(keys.blobs, digest)
    client.close()

    answer = layered.confbus("explain", "db.port", *elsewhere(layered, monkeypatch))

    assert answer.out.splitlines()[0] == "db.port = 5433"
    assert "is not kept" in answer.err


def test_what_went_out_with_a_release_holds_no_value(layered: Shop) -> None:
    assert layered.url
    client: Any = make_client(layered.url)
    keys = keys_of(client, layered.namespace)
    blobs = client.hmget(keys.blobs, client.hget(keys.release(1), "origins").split())
    client.close()

    told = [origins.decode(blob) for blob in blobs]

    assert [each.source for each in told] == ["config/app.yaml", "config/local.yaml", "env:SHOP_"]
    assert told[1].deletes == {"/old"}
    assert all("hunter2" not in repr(each) and "5433" not in repr(each) for each in told)


def test_how_a_variable_was_read_and_what_the_schema_allows_is_told(layered: Shop) -> None:
    (layered.directory / "schema.yaml").write_text("properties: {db: {properties: {host: {type: string}}}}\n")
    settings = layered.directory / "confbus.yaml"
    settings.write_text(settings.read_text().replace("secrets: warn", "secrets: warn, schema: schema.yaml"))

    [value] = layered.confbus("explain", "db.host", "--output", "json").data["values"]

    assert value["how"] == "read as db.host: the only reading in the schema; typed string by the schema"
    assert value["types"] == ["string"]
    assert "the schema allows string" in layered.confbus("explain", "db.host").out


def test_what_a_reference_brought_is_told_by_its_name_alone(layered: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_PORT", "1234")
    layered.write(BASE.replace("host: a", 'host: a, url: "db:${THE_PORT}"'))

    answer = layered.confbus("explain", "db.url")

    assert answer.out.splitlines()[0] == 'db.url = "db:1234"'
    assert "expanded with variable THE_PORT" in answer.out
    assert '"db:${THE_PORT}"' in answer.out


def test_an_override_is_the_layer_above_all(layered: Shop) -> None:
    layered.confbus("set", "db.port", "7000", "--reason", "a trial", "--wait", "1s")

    [(first, place, value), *others] = layers(layered, "db.port")

    assert (first, value) == ("wins", 7000)
    assert "override" in place
    assert [effect for effect, _, _ in others] == ["loses", "loses"]


def test_where_nothing_is_published_there_is_nothing_to_explain(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = shop.confbus("explain", "--all", *elsewhere(shop, monkeypatch))

    assert answer.code == 1
    assert "Nothing is published in this namespace" in answer.err
