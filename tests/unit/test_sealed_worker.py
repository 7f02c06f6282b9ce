"""Sealed sections in a worker: open with the key, locked without, and never taken away from whoever reads them."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.errors import InvalidSettings, SealedError, UnknownPath
from confbus.keyring import Keyring
from confbus.testing import Bus
from confbus.wire.record import replace
from support.eventually import eventually
from support.seals import key, ring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT = {"database": {"host": "db-1", "password": "hunter2"}, "web": {"port": 80}}


@dataclass(frozen=True)
class Database:
    host: str
    password: str


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus(DOCUMENT, seal=["database"], keyring=ring("k1")) as bus:
        yield bus


def test_whoever_has_the_key_reads_everything(bus: Bus) -> None:
    config = bus.connect(open_keys=lambda: ring("k1"), views={"database": Database})

    assert config.snapshot == DOCUMENT
    assert config["database.password"] == "hunter2"
    assert config.status().locked == ()


def test_without_the_key_the_rest_is_read_and_the_section_says_why_not(bus: Bus) -> None:
    config = bus.connect()
    reads: list[Any] = [
        lambda: config["database"],
        lambda: config["database.password"],
        lambda: config["database.nothing.there"],
        lambda: config.get("database.password", "default"),
        lambda: config.section("database"),
        lambda: "database.password" in config,
        lambda: config.snapshot["database.host"],
        lambda: config.bind("database", Database).current,
        lambda: config.bind("database.host", str, default="x").current,
    ]

    assert config["web.port"] == 80
    for read in reads:
        with pytest.raises(SealedError) as caught:
            read()
        assert (caught.value.section, caught.value.key) == ("database", "k1")
    assert config.status().locked == ("database",)
    assert config.status().state == "live"
    with pytest.raises(UnknownPath):
        config["elsewhere"]


def test_a_locked_section_is_not_there_for_whoever_walks_over_the_document(bus: Bus) -> None:
    snapshot = bus.connect().snapshot

    assert json.loads(json.dumps(snapshot)) == {"web": {"port": 80}}
    again = pickle.loads(pickle.dumps(snapshot))
    with pytest.raises(SealedError):
        again["database.host"]


def test_a_view_of_a_locked_section_keeps_nothing_else_away(bus: Bus) -> None:
    config = bus.connect(views={"database": Database, "web": dict})

    bus.set("web.port", 81)

    assert config["web.port"] == 81


def test_a_key_that_comes_later_opens_what_is_locked(bus: Bus) -> None:
    keys = [Keyring()]
    config = bus.connect(open_keys=lambda: keys[-1], views={"database": Database})
    seen: list[Any] = []
    subscription = config.subscribe(seen.append, "database")
    assert config.status().locked == ("database",)

    keys.append(ring("k1"))

    eventually(lambda: config.status().locked == ())
    assert config["database.password"] == "hunter2"
    eventually(lambda: seen)
    assert {change.path for change in seen[0]} == {"database.host", "database.password"}
    config.unsubscribe(subscription)


def test_a_new_key_that_is_not_here_takes_nothing_away_from_whoever_read_before(bus: Bus) -> None:
    keys = [ring("k1")]
    config = bus.connect(open_keys=lambda: keys[-1])
    bus.seal(["database"], ring("k2", "k1"))

    bus.publish({**DOCUMENT, "database": {"host": "db-2", "password": "correct horse"}, "web": {"port": 81}})

    assert config.status().state == "vetoing"
    assert "k2" in config.status().error
    assert config.snapshot == DOCUMENT
    keys.append(ring("k2", "k1"))
    eventually(lambda: config["database.host"] == "db-2")
    assert config.status().state == "live"
    assert config["web.port"] == 81


def test_a_section_that_was_open_for_all_is_not_lost_when_it_is_sealed(bus: Bus) -> None:
    with Bus({"database": {"host": "a"}}, seal=["secret"], keyring=ring("k1")) as other:
        config = other.connect()

        other.publish({"database": {"host": "b"}, "secret": {"token": "x"}})

        assert config["database.host"] == "b"
        assert config.status().locked == ("secret",)


def test_what_does_not_open_with_its_key_is_refused(bus: Bus) -> None:
    config = bus.connect(open_keys=lambda: ring("k1"))
    bus.seal(["database"], Keyring([replace(key("other"), id="k1")]))

    bus.publish({"database": {"host": "db-2"}})

    assert config.status().state == "vetoing"
    assert "does not open" in config.status().error
    assert config.snapshot == DOCUMENT


def test_what_a_validator_quotes_of_a_sealed_section_is_told_to_nobody(bus: Bus) -> None:
    def refuse(candidate: confbus.Snapshot) -> None:
        if candidate["web.port"] == 81:
            raise ValueError(f"{candidate['database.password']} is too short for {candidate['web.port']}")

    config = bus.connect(open_keys=lambda: ring("k1"), validators=[refuse])

    bus.set("web.port", 81)

    assert config.status().state == "vetoing"
    assert "… is too short for 81" in config.status().error
    assert "hunter2" not in repr(config.status()) + str(bus.vetoes())


def test_the_file_for_a_start_without_redis_keeps_the_section_sealed(bus: Bus, tmp_path: Path) -> None:
    file = tmp_path / "last-good"
    bus.connect(open_keys=lambda: ring("k1"), fallback=file).close()
    assert b"hunter2" not in file.read_bytes()
    nowhere = "redis://127.0.0.1:1"

    with confbus.connect(
        nowhere, namespace="test", start="cached", fallback=file, open_keys=lambda: ring("k1")
    ) as config:
        assert config["database.password"] == "hunter2"
    with confbus.connect(nowhere, namespace="test", start="cached", fallback=file) as config:
        assert config["web.port"] == 80
        with pytest.raises(SealedError):
            config["database.password"]


def test_an_overlay_over_a_locked_section_shows_what_it_says_and_no_more(bus: Bus) -> None:
    config = bus.connect(overlay={"database": {"host": "mine"}})

    assert config["database.host"] == "mine"
    with pytest.raises(SealedError):
        config["database.password"]


@pytest.mark.parametrize(
    "forged",
    [
        {"database": {"host": "evil"}},
        {"database": {f"{number}": {"x": "y" * 40_000} for number in range(3)}},
        {"database": "evil"},
    ],
    ids=["as it was", "in parts", "as no mapping"],
)
def test_a_section_that_must_be_sealed_is_not_taken_in_plain_text(bus: Bus, forged: dict[str, Any]) -> None:
    config = bus.connect(open_keys=lambda: ring("k1"), sealed=["database"])
    trusting = bus.connect(open_keys=lambda: ring("k1"))

    bus.seal([], Keyring())
    bus.publish(forged)

    assert trusting.snapshot == forged
    assert config.snapshot == DOCUMENT
    assert config.status().error.startswith("database: it comes in plain text")


@pytest.mark.parametrize("sealed", ["database", ["database.host"], ["."], [""], ["[0]"], ["a..b"]])
def test_what_is_no_section_of_its_own_cannot_be_asked_for_sealed(bus: Bus, sealed: Any) -> None:
    with pytest.raises(InvalidSettings, match=r"^sealed=: "):
        bus.connect(sealed=sealed)


def test_parts_that_were_open_are_not_lost_when_the_whole_is_sealed(bus: Bus) -> None:
    large = {"database": {f"{number}": {"x": "y" * 40_000} for number in range(3)}}
    with Bus(large) as plain:
        config = plain.connect()
        plain.seal(["database"], ring("k1"))

        plain.publish(large)

        assert config.status().state == "vetoing"
        assert config.snapshot == large
