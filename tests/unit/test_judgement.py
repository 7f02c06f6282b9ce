"""A publisher and its checks: errors keep the last release, warnings go out with the new one and are told once."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import ChecksFailed
from confbus_publisher import fleet, standing
from confbus_publisher.checks.gates import Gates, GatesCheck
from confbus_publisher.checks.secrets import Mode, SecretCheck
from confbus_publisher.inputs import Inputs
from confbus_publisher.judgement import judge_next
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.oneshot import publish_once
from confbus_publisher.publisher import Publisher
from confbus_publisher.sources import DictSource
from confbus_publisher.sources.file import FileSource

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = SecretCheck(Mode.BLOCK)
WARN = SecretCheck(Mode.WARN)
SECRET = "correct-horse"


def inputs(check: Any, **tree: Any) -> Inputs:
    return Inputs([DictSource(tree)], limit_bytes=1_000_000, checks=[check])


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    ledger = Ledger(MemoryStore())
    memory = MemoryFile(tmp_path / "state", "test")
    return Publisher(inputs(BLOCK, a=1), ledger, memory, identity="test:1", author="test")


def test_an_error_keeps_the_last_release_and_says_why(publisher: Publisher) -> None:
    publisher.turn()

    publisher.inputs = inputs(BLOCK, a=2, password=SECRET)
    publisher.turn()

    assert publisher.ledger.head
    assert publisher.ledger.head.version == 1
    assert publisher.standing.state == standing.REFUSED
    assert "password: a value that is named like a secret" in publisher.standing.why
    assert "refused" in repr(publisher.ledger.store.log(count=1))


def test_what_was_mended_goes_out_by_itself(publisher: Publisher) -> None:
    publisher.turn()
    publisher.inputs = inputs(BLOCK, a=2, password=SECRET)
    publisher.turn()

    publisher.inputs = inputs(BLOCK, a=2)
    publisher.turn()

    assert publisher.ledger.head
    assert publisher.ledger.head.version == 2
    assert publisher.standing.state == "in step"


def test_a_warning_goes_out_with_the_release_and_is_told_once(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.inputs = inputs(WARN, a=1, password=SECRET)

    with caplog.at_level(logging.WARNING, "confbus.publisher"):
        publisher.turn()
        publisher.turn()

    told = [record.getMessage() for record in caplog.records if "warning" in record.getMessage()]
    report = fleet.parse("test:1", publisher.ledger.store.fleet()["test:1"])
    assert publisher.standing.state == "in step"
    assert len(told) == 1
    assert report
    assert len(report.warnings) == 1
    assert SECRET not in repr(told) + repr(report)


def test_a_gate_compares_with_the_head(publisher: Publisher) -> None:
    publisher.turn()

    publisher.inputs = inputs(GatesCheck(Gates(types=True)), a="one")
    publisher.turn()

    assert publisher.standing.state == standing.REFUSED
    assert "a: it was a whole number, and is a string now" in publisher.standing.why
    assert "confbus approve" in publisher.standing.why


@pytest.mark.parametrize("overrides", [{}, {"force": True}, {"adopt": True}])
def test_a_person_is_refused_as_well_whatever_they_force(overrides: dict[str, Any]) -> None:
    given = inputs(BLOCK, password=SECRET)

    with pytest.raises(ChecksFailed, match="password: a value that is named like a secret"):
        publish_once(Ledger(MemoryStore()), given.load(), Why("ann"), inputs=given, identity="me", **overrides)


def test_the_head_is_read_only_for_checks_that_compare() -> None:
    given = inputs(BLOCK, a=1)

    def before() -> None:
        raise AssertionError

    assert given.judge(given.load(), before) == ()


def test_nothing_at_all_is_no_successor_of_something() -> None:
    ledger = Ledger(MemoryStore())
    publish_once(ledger, inputs(BLOCK, a=1).load(), Why("ann"))
    nothing = inputs(BLOCK)

    with pytest.raises(ChecksFailed, match="--allow-empty"):
        judge_next(nothing, nothing.load(), ledger.refresh(), ledger.store)


def test_a_report_with_odd_warnings_is_read_as_far_as_it_goes() -> None:
    facts = {"state": "in step", "interval_s": 30, "at": 1, "warnings": ["x" * 5000, *range(50)]}

    report = fleet.parse("test", json.dumps(facts).encode())

    assert report
    assert [len(text) for text in report.warnings[:1]] == [300]
    assert len(report.warnings) == 10
    assert fleet.parse("test", json.dumps({**facts, "warnings": 5}).encode()) is None


def test_a_source_that_fails_and_is_read_again_is_told_once_each(
    publisher: Publisher, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file = tmp_path / "app.yaml"
    publisher.inputs = Inputs([FileSource(file)], limit_bytes=1_000_000)

    for text in ("a: 1", "a: [", "a: [", "a: 2", "a: 2"):
        file.write_text(text)
        publisher.turn()

    told = [vars(record) for record in caplog.records if "source" in vars(record)]
    assert [(each["levelname"], each["source"]) for each in told] == [("WARNING", str(file)), ("INFO", str(file))]
    assert "app.yaml:2:1" in told[0]["why"]
