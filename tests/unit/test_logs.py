"""What the publisher's log looks like to programs: one object a line, whatever is logged."""

from __future__ import annotations

import json
import logging
import sys
from decimal import Decimal
from typing import Any

import pytest

from confbus_publisher.logs import JsonLines


class Odd:
    """What cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


def record(message: object, *arguments: object, **extra: object) -> logging.LogRecord:
    record = logging.LogRecord("confbus.publisher", logging.WARNING, __file__, 1, message, arguments, None)
    record.created = 1_750_000_000.25
    vars(record).update(extra)
    return record


def told(record: logging.LogRecord, *, namespace: str = "shop") -> dict[str, Any]:
    """What a program reads, from one line in ASCII."""
    lines = JsonLines()
    lines.namespace = namespace
    text = lines.format(record)

    assert text.isascii()
    assert text.isprintable()
    facts: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    return facts


def test_a_line_has_time_level_logger_message_namespace_and_what_the_call_gave() -> None:
    facts = told(record("published version %d", 7, version=7, sections=["database"], took_ms=1.5))

    assert facts == {
        "time": "2025-06-15T15:06:40.250Z",
        "level": "warning",
        "logger": "confbus.publisher",
        "message": "published version 7",
        "namespace": "shop",
        "version": 7,
        "sections": ["database"],
        "took_ms": 1.5,
    }


def test_a_namespace_that_is_not_known_yet_is_left_out() -> None:
    assert "namespace" not in told(record("begun"), namespace="")


def test_what_a_call_gives_is_never_taken_for_what_a_line_has_anyway() -> None:
    facts = told(record("said", time="never", level="none", namespace="another", logger="nobody"))

    assert [facts[name] for name in ("level", "namespace", "logger")] == ["warning", "shop", "confbus.publisher"]
    assert facts["time"].startswith("2025")


def test_an_exception_is_text() -> None:
    entry = record("it failed")
    try:
        json.loads("no")
    except ValueError:
        entry.exc_info = sys.exc_info()

    facts = told(entry)

    assert facts["message"] == "it failed"
    assert facts["exception"].startswith("Traceback (most recent call last):\n")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**5000, "<int>"),
        (2**63, str(2**63)),
        (b"\xff", "b'\\xff'"),
        ("\ud800 \x1b[2J \u2028", "? \x1b[2J \u2028"),
        (Decimal("1.5"), "1.5"),
        ({1: {None: {"a"}}}, {"1": {"None": ["a"]}}),
        (Odd(), "<Odd>"),
        ([Odd()], ["<Odd>"]),
        (None, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_odd_values_are_told_as_they_can_be(value: object, read: object) -> None:
    facts = told(record("said", value=value))

    assert facts["value"] == read


def test_what_holds_itself_ends() -> None:
    endless: list[object] = []
    endless.append(endless)
    mapping: dict[str, object] = {}
    mapping["again"] = mapping

    assert told(record("said", value=endless, mapping=mapping))["message"] == "said"


@pytest.mark.parametrize("arguments", [("a", "b"), (Odd(),), ()])
def test_a_message_that_cannot_be_made_is_told_as_it_was_written(arguments: tuple[object, ...]) -> None:
    assert told(record("%d of them", *arguments))["message"] == "%d of them"


def test_a_message_that_is_no_text_is_told() -> None:
    assert told(record(Odd()))["message"] == "<Odd>"
