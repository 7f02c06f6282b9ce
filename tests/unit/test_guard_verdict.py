"""What the reports of the fleet say of a guarded release, and what they do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from confbus_publisher import fleet
from confbus_publisher.guard.guard import Guard
from confbus_publisher.guard.limit import NONE, Limit
from confbus_publisher.guard.verdict import objection

NOW_MS = 1_000_000
SEEN: dict[str, Any] = {"version": 3, "revision": 7, "epoch": "ee", "change": "ab12", "digest": "dd"}
VETO: dict[str, Any] = {"state": "vetoing", "seen": SEEN, "error": "db: no host", "interval_s": 30, "at": NOW_MS}


def guard(vetoes: Limit = NONE) -> Guard:
    return Guard(
        change="ab12", version=3, back=2, digest="cc", author="ann", since_ms=0, until_ms=NOW_MS, vetoes=vetoes
    )


def objected(*reports: bytes | dict[str, Any], vetoes: Limit = NONE) -> str:
    """What is objected when the fleet's hash has these reports."""
    raws = [report if isinstance(report, bytes) else json.dumps(report).encode() for report in reports]
    everybody = fleet.parse_all({f"web-{number}": raw for number, raw in enumerate(raws)})
    return objection(guard(vetoes), fleet.subscribers(everybody, NOW_MS))


def live(count: int) -> list[dict[str, Any]]:
    return [{**VETO, "state": "live", "error": ""} for _ in range(count)]


def test_one_veto_is_told_with_the_instance_and_its_reason() -> None:
    assert objected(*live(2), VETO) == "1 of 3 instances refused it: web-2: db: no host"
    assert objected(VETO) == "1 of 1 instance refused it: web-0: db: no host"


def test_no_reason_is_more_than_a_line_or_drives_a_terminal() -> None:
    assert objected({**VETO, "error": "a\n\x1b[31mb\x07"}) == "1 of 1 instance refused it: web-0: a ?[31mb?"


def test_nobody_objects_when_nobody_is_there() -> None:
    assert objected() == ""
    assert objected(vetoes=Limit(5, is_share=True)) == ""


def test_as_many_as_the_limit_says_may_refuse() -> None:
    assert objected(*live(18), VETO, vetoes=Limit(5, is_share=True)) != ""
    assert objected(*live(19), VETO, vetoes=Limit(5, is_share=True)) == ""
    assert objected(*live(2), VETO, VETO, vetoes=Limit(2)) == ""
    assert objected(*live(2), VETO, VETO, VETO, vetoes=Limit(2)).startswith("3 of 5 instances")


FORGED: dict[str, bytes | dict[str, Any]] = {
    "another change": {**VETO, "seen": {**SEEN, "change": "ab13"}},
    "another version": {**VETO, "seen": {**SEEN, "version": 2}},
    "nothing seen": {**VETO, "seen": None},
    "an unknown state": {**VETO, "state": "refusing"},
    "a state of another kind": {**VETO, "state": ["vetoing"]},
    "silent for long": {**VETO, "at": NOW_MS - 91_000},
    "from the future": {**VETO, "at": NOW_MS + 91_000},
    "no time": {**VETO, "at": None},
    "a change that is no id": {**VETO, "seen": {**SEEN, "change": "ab12 "}},
    "a number that is none": {**VETO, "seen": {**SEEN, "version": "3"}},
    "a publisher": {**VETO, "role": "publisher"},
    "no JSON": b"vetoing ab12",
    "a list": b"[]",
    "too long": json.dumps({**VETO, "error": "x" * 9000}).encode(),
    "a depth": b"[" * 7000,
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
def test_a_report_that_is_no_veto_of_this_change_counts_for_nothing(forged: bytes | dict[str, Any]) -> None:
    assert objected(*live(1), *[forged] * 20) == ""


def test_what_an_instance_says_is_one_short_line() -> None:
    said = objected({**VETO, "error": "a\nb\t" + "x" * 400})

    assert "\n" not in said
    assert len(said) < 400
