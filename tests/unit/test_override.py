"""One override: what the store keeps of it, what it may say, and when it counts."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import InvalidDocument, InvalidPath, Malformed
from confbus.wire.frozen import freeze
from confbus_publisher.overrides.override import MAX_BYTES, Override, parse, parse_path
from support.documents import keys, values

if TYPE_CHECKING:
    from confbus.wire.path import Path

MARK = "hunter2"


def override(value: Any = 1, *, path: Path = ("a", "b"), at_ms: int = 5, until_ms: int | None = None) -> Override:
    return Override(path=path, value=freeze(value), at_ms=at_ms, until_ms=until_ms, reason="a trial", by="ann")


@given(st.lists(keys, min_size=1, max_size=5), values, st.none() | st.integers(0, 10**14))
def test_what_the_store_keeps_is_read_as_it_was(path: list[str], value: Any, until_ms: int | None) -> None:
    before = override(value, path=tuple(path), until_ms=until_ms)

    assert parse(before.name, before.text()) == before


@given(st.text(), st.text())
def test_whatever_stands_there_is_read_or_called_malformed(name: str, text: str) -> None:
    for name_or_path in (name, "a.b"):
        with contextlib.suppress(Malformed):
            assert parse(name_or_path, text).at_ms >= 0


@given(st.dictionaries(st.sampled_from(["value", "at_ms", "until_ms", "by", "reason"]), values))
def test_facts_of_any_type_are_read_or_called_malformed(facts: dict[str, Any]) -> None:
    try:
        read = parse("a", json.dumps(facts))
    except Malformed:
        return
    assert isinstance(read.at_ms, int)
    assert isinstance(read.by, str)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON"),
        ('{"value": 1}', "lacks a value or a time"),
        ('{"at_ms": 1}', "lacks a value or a time"),
        ('{"value": 1, "at_ms": true}', "lacks a value or a time"),
        ('{"value": 1, "at_ms": -1}', "lacks a value or a time"),
        ('{"value": 1, "at_ms": 1, "until_ms": "soon"}', "lacks a value or a time"),
        ('{"value": 1, "at_ms": 1, "until_ms": 253402300800000}', "lacks a value or a time"),
        ('{"value": 1, "value": 2, "at_ms": 1}', "stands on line 1 already"),
        ('{"value": 1e999, "at_ms": 1}', "NaN and infinity"),
        ("[" * 10_000, "nested deeper"),
        ("1", "lacks a value"),
        (" " * (MAX_BYTES + 1), "more than 65,536 bytes"),
    ],
)
def test_what_is_no_override_says_why(text: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse("a.b", text)


@pytest.mark.parametrize("text", [f'{{"value": "{MARK}"}}', f'{{"value": "{MARK}', f'{{"{MARK}": {MARK}}}'])
def test_no_error_and_no_repr_tells_the_value(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse("a.b", text)

    assert MARK not in str(caught.value)
    assert MARK not in repr(override(MARK))


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("hosts[0]", "Override the whole list: hosts."),
        ("a.hosts[0].name", "Override the whole list: a.hosts."),
        ("[0]", "Begin with a key."),
        ("a.*", r'a key \* is written \["\*"\]'),
        ("**", "it is a pattern"),
        ("", "the whole configuration"),
        ("a..b", "is not a path"),
    ],
)
def test_an_odd_path_is_refused_with_advice(text: str, advice: str) -> None:
    with pytest.raises(InvalidPath, match=advice):
        parse_path(text)


def test_a_key_that_looks_like_a_pattern_can_be_quoted() -> None:
    assert parse_path('cors["*"]["a.b"]') == ("cors", "*", "a.b")


@pytest.mark.parametrize("value", [2**64, float("nan"), b"x", {"a": {1}}, "\ud800"])
def test_a_value_that_no_document_may_hold_is_refused(value: Any) -> None:
    with pytest.raises(InvalidDocument):
        override(value)


def test_a_path_counts_for_the_depth() -> None:
    with pytest.raises(InvalidDocument, match="nested deeper"):
        override(1, path=("a",) * 101)


def test_it_counts_from_when_it_was_set_until_it_ends() -> None:
    timed, endless = override(at_ms=10, until_ms=20), override(at_ms=10)

    assert [timed.is_in_force(at_ms) for at_ms in (9, 10, 19, 20)] == [False, True, True, False]
    assert endless.is_in_force(10**14)


def test_it_can_be_ended_before_its_time_and_not_after() -> None:
    timed = override(at_ms=10, until_ms=20)

    assert timed.ended(15).until_ms == 15
    assert timed.ended(25) == timed
