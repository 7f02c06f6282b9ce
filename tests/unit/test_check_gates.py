"""Gates: what changes too much waits for a person."""

from __future__ import annotations

from typing import Any

import pytest

from confbus_publisher.checks import Problem, run_checks
from confbus_publisher.checks.gates import Gates, GatesCheck
from support.candidates import candidate

TEN = {f"k{number}": number for number in range(10)}


def problems(gates: Gates, before: Any, after: Any, **facts: Any) -> tuple[Problem, ...]:
    return run_checks([GatesCheck(gates)], candidate(after, before=before, **facts))


def text_of(size: int) -> dict[str, str]:
    return {"text": "x" * size}


@pytest.mark.parametrize(("size", "is_closed"), [(2990, False), (3100, True)])
def test_a_document_may_grow_by_the_factor_and_no_more(size: int, *, is_closed: bool) -> None:
    found = problems(Gates(growth=3), text_of(1000), text_of(size))

    assert [problem.is_error for problem in found] == [True] * is_closed


def test_what_is_small_may_grow_as_it_likes() -> None:
    assert problems(Gates(growth=2), {"a": 1}, text_of(900)) == ()


@pytest.mark.parametrize(("kept", "is_closed"), [(7, False), (6, True), (0, True)])
def test_a_share_of_the_values_may_go_and_no_more(kept: int, *, is_closed: bool) -> None:
    after = dict(list(TEN.items())[:kept]) | {"new": 1}

    found = problems(Gates(removed=0.3), TEN, after)

    assert [f"{10 - kept} of 10 values are gone, more than 30%" in each.message for each in found] == [True] * is_closed


def test_what_was_removed_is_told_by_what_was_around_all_of_it() -> None:
    [found] = problems(Gates(removed=0.3), {"db": {"pool": TEN}, "x": 1}, {"x": 1})

    assert found.path == ("db", "pool")


RETYPED = {
    "text to number": ("1", 1, True),
    "number to flag": (1, True, True),
    "value to null": (1, None, True),
    "value to list": (1, [1], True),
    "mapping to value": ({"x": 1}, 1, True),
    "whole to fraction": (1, 1.5, False),
    "null to value": (None, 1, False),
    "other text": ("a", "b", False),
    "other list": ([1], ["a"], False),
}


@pytest.mark.parametrize("case", RETYPED)
def test_a_value_keeps_its_type(case: str) -> None:
    old, new, is_closed = RETYPED[case]

    found = problems(Gates(types=True), {"a": {"b": old}}, {"a": {"b": new}})

    assert [problem.path for problem in found] == [("a", "b")] * is_closed


def test_a_value_that_takes_the_place_of_a_mapping_is_told_once_and_as_nothing_removed() -> None:
    found = problems(Gates(types=True, removed=0.1), {"a": TEN}, {"a": 1})

    assert [problem.path for problem in found] == [("a",)]


def test_the_line_that_opens_the_gate_is_told() -> None:
    [found] = problems(Gates(types=True), {"a": 1}, {"a": "x"})

    assert "confbus approve " + "d" * 64 + " -m " in found.advice


def test_an_approval_opens_all_gates_for_this_document_alone() -> None:
    asked: list[str] = []

    def approved(digest: str) -> bool:
        asked.append(digest)
        return True

    found = problems(Gates(types=True, removed=0.1), {"a": 1, **TEN}, {"a": "x"}, approved=approved)

    assert found == ()
    assert asked == ["d" * 64]


def test_nobody_is_asked_while_every_gate_is_open() -> None:
    def approved(_digest: str) -> bool:
        raise AssertionError

    assert problems(Gates(types=True, removed=0.1, growth=2), TEN, TEN, approved=approved) == ()


def test_without_a_head_every_gate_is_open() -> None:
    assert problems(Gates(types=True, removed=0.1, growth=2), None, {"a": 1}) == ()


def test_after_an_empty_document_nothing_is_gone() -> None:
    assert problems(Gates(removed=0.1, types=True), {}, {"a": 1}) == ()
