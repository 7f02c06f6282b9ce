"""Secret references in a worker: resolved before anybody judges or reads, and resolved again when secrets change."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.errors import ConfigRefused, ViewFailed
from confbus.testing import Bus, static
from confbus.timing import Timing
from confbus.wire.frozen import Reference
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK: dict[str, Any] = {"secrets_refresh_s": 0.02, "timing": Timing(poll_s=0.02, report_gap_s=0.0)}


@dataclass(frozen=True)
class Database:
    host: str
    password: str


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "db"
    file.write_text("hunter2\n")
    return file


def document(file: Path, **more: Any) -> dict[str, Any]:
    return {"database": {"host": "db-1", "password": Reference(f"file:{file}")}, "web": {"port": 80}, **more}


@pytest.fixture
def bus(file: Path) -> Iterator[Bus]:
    with Bus(document(file)) as bus:
        yield bus


def rotate(file: Path, text: str) -> None:
    """As an agent does it: a new file in the place of the old one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def test_a_worker_reads_the_secret_in_place_of_the_reference(bus: Bus) -> None:
    judged: list[confbus.Snapshot] = []
    config = bus.connect(views={"database": Database}, validators=[judged.append])

    assert config["database.password"] == "hunter2"
    assert config.section("database") == {"host": "db-1", "password": "hunter2"}
    assert config.bind("database", Database).current == Database("db-1", "hunter2")
    assert judged == [config.snapshot]
    assert list(config.snapshot.references) == [("database", "password")]


def test_references_in_lists_and_at_the_top_are_resolved_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "abcdef")
    here, token = Reference(f"file:{file}"), Reference("env:API_TOKEN")
    tree: dict[str, Any] = {"token": token, "a": {"b": [1, {"c": here}, [here, token]]}, "plain": {"x": 1}}
    with Bus(tree) as bus:
        config = bus.connect()

        assert config.snapshot == {
            "token": "abcdef",
            "a": {"b": [1, {"c": "hunter2"}, ["hunter2", "abcdef"]]},
            "plain": {"x": 1},
        }


@pytest.mark.parametrize("size", [1, 900])
def test_references_are_found_however_a_document_is_cut(file: Path, size: int) -> None:
    parts = {f"p{i}": {"text": "x" * 100, "secret": Reference(f"file:{file}")} for i in range(size)}
    with Bus({"large": parts, "other": 1}) as bus:
        config = bus.connect()
        bus.set("large.p0.text", "y")

        assert config["large.p0"] == {"text": "y", "secret": "hunter2"}
        assert len(config.snapshot.references) == size


def test_what_a_release_does_not_change_stays_the_very_same_object(bus: Bus) -> None:
    config = bus.connect()
    before = config["database"]

    bus.set("web.port", 81)

    assert config["web.port"] == 81
    assert config["database"] is before


def test_a_reference_that_leads_nowhere_is_a_veto_that_names_path_and_reference(bus: Bus) -> None:
    config = bus.connect()

    bus.set("database.password", Reference("env:NOT_SET_HERE"))

    [reason] = bus.vetoes().values()
    assert reason == "database.password: !secret env:NOT_SET_HERE: the variable is not set here"
    assert config["database.password"] == "hunter2"


def test_a_process_without_a_variable_does_not_start() -> None:
    with Bus({"a": {"b": Reference("env:NOT_SET_HERE")}}) as bus, pytest.raises(ConfigRefused) as caught:
        bus.connect()

    assert "a.b: !secret env:NOT_SET_HERE" in str(caught.value)


def test_nobody_waits_for_a_file_where_a_variable_is_missing_for_good(file: Path) -> None:
    tree = {"a": {"b": Reference(f"file:{file}.missing"), "c": Reference("env:NOT_SET_HERE")}}
    with Bus(tree) as bus, pytest.raises(ConfigRefused) as caught:
        bus.connect(**QUICK)

    assert "a.c: !secret env:NOT_SET_HERE: the variable is not set here (and 1 more)" in str(caught.value)


def test_a_secret_that_comes_later_is_waited_for_at_the_start(file: Path) -> None:
    missing = file.with_name("missing")
    with Bus(document(missing)) as bus:
        config = confbus.Subscriber(bus.url, namespace=bus.namespace, **QUICK)
        config.follow()
        eventually(lambda: "No such file" in config.status().error)
        assert "No such file" in str(config.status())

        missing.write_text("late")
        config.start(timeout_s=20)

        assert config["database.password"] == "late"
        config.close()


def test_a_secret_that_changes_is_put_in_within_the_same_version(bus: Bus, file: Path) -> None:
    config = bus.connect(**QUICK, views={"database": Database})
    seen: list[Any] = []
    config.subscribe(seen.extend, "database")
    web, version = config["web"], config.snapshot.version

    rotate(file, "hunter3")
    eventually(lambda: config["database.password"] == "hunter3")

    eventually(lambda: len(seen) == 1)
    assert (seen[0].path, seen[0].old_value, seen[0].new_value) == ("database.password", "hunter2", "hunter3")
    assert "hunter" not in repr(seen)
    assert config.bind("database", Database).current.password == "hunter3"
    assert (config.snapshot.version, config["web"]) == (version, web)
    assert config.status().counts.refreshed == 1
    assert config.status().state == "live"


@pytest.mark.parametrize("how", ["gone", "empty", "pipe", "folder", "huge", "no text"])
def test_a_file_that_is_no_secret_any_more_leaves_the_last_one(bus: Bus, file: Path, how: str) -> None:
    config = bus.connect(**QUICK)
    file.unlink()
    match how:
        case "empty":
            file.touch()
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "huge":
            file.write_bytes(b"x" * (1024 * 1024 + 1))
        case "no text":
            file.write_bytes(b"\xff\xfe")
        case _:
            pass

    eventually(lambda: config.status().counts.unrefreshed > 0)
    bus.set("web.port", 81)

    status = config.status()
    assert f"!secret file:{file}: " in status.error
    assert "what was read before stays" in status.error
    assert (config["web.port"], config["database.password"], status.state) == (81, "hunter2", "live")
    if how == "folder":
        file.rmdir()
    rotate(file, "hunter3")
    eventually(lambda: config["database.password"] == "hunter3")
    eventually(lambda: config.status().error == "")


def test_a_secret_that_a_validator_refuses_is_not_read_and_not_told(bus: Bus, file: Path) -> None:
    asked: list[str] = []

    def check(new: confbus.Snapshot) -> None:
        asked.append(new["database.password"])
        if new["database.password"] == "tr0ub4dor":
            raise ValueError(f"{new['database.password']!r} does not log in")

    config = bus.connect(**QUICK, validators=[check])
    rotate(file, "tr0ub4dor")
    eventually(lambda: config.status().counts.unrefreshed > 0)
    refused = config.status()
    bus.set("web.port", 81, wait=False)
    eventually(lambda: config.status().state == "vetoing")

    assert config["database.password"] == "hunter2"
    assert "does not log in" in refused.error
    assert "tr0ub4dor" not in refused.error + config.status().error
    rotate(file, "hunter3")
    eventually(lambda: config["database.password"] == "hunter3" and config["web.port"] == 81)
    assert asked.count("tr0ub4dor") <= 3


def test_what_no_view_can_be_made_of_is_told_without_the_secret(bus: Bus) -> None:
    config = bus.connect()

    with pytest.raises(ViewFailed) as caught:
        config.bind("database.password", int)

    assert "hunter2" not in str(caught.value)


def test_an_overlay_goes_over_a_reference_that_leads_nowhere() -> None:
    with Bus({"database": {"password": Reference("env:NOT_SET_HERE"), "port": 1}}) as bus:
        config = bus.connect(overlay={"database.password": "local"})

        assert config["database"] == {"password": "local", "port": 1}
        assert config.snapshot.references == {}


def test_an_overlay_from_the_environment_takes_a_text_for_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DATABASE_PASSWORD", "12345")
    with Bus({"database": {"password": Reference("env:NOT_SET_HERE")}}) as bus:
        assert bus.connect(overlay=confbus.env("APP_"))["database.password"] == "12345"


def test_a_fallback_keeps_the_reference_and_a_start_from_it_resolves(bus: Bus, file: Path, tmp_path: Path) -> None:
    saved = tmp_path / "last"
    with bus.connect(fallback=saved):
        pass
    rotate(file, "hunter3")
    bus.refuse()

    config = bus.connect(fallback=saved, start="cached")

    assert config["database.password"] == "hunter3"
    assert b"hunter" not in saved.read_bytes()
    assert str(file).encode() in saved.read_bytes()


def test_nothing_that_a_worker_says_of_itself_holds_the_secret(bus: Bus) -> None:
    config = bus.connect()
    explained = config.explain("database.password")

    assert explained.value == config.explain("database").value["password"] == Reference(explained.value.text)
    said = [repr(config), repr(config.snapshot), str(config.status()), repr(config.status()), str(explained)]
    assert "hunter2" not in " ".join(said)


def test_a_snapshot_that_is_pickled_knows_where_its_references_are(bus: Bus) -> None:
    snapshot = bus.connect().snapshot

    again = pickle.loads(pickle.dumps(snapshot))

    assert (again, again.references) == (snapshot, snapshot.references)


def test_a_static_configuration_resolves(file: Path) -> None:
    assert static(document(file))["database.password"] == "hunter2"


def test_after_the_references_are_gone_nothing_is_put_back(bus: Bus, file: Path) -> None:
    config = bus.connect(**QUICK)
    bus.set("database.password", "plain")

    rotate(file, "hunter3")
    bus.set("web.port", 81)
    bus.set("web.port", 82)

    assert (config["database.password"], config.snapshot.version) == ("plain", 4)
    assert config.status().counts.refreshed == 0
