"""What a text means where something says of which type it is; by its looks: see the environment's tests."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.wire.frozen import freeze
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.formats.literal import fit, guess, like, type_of

TYPES = ["null", "boolean", "integer", "number", "array", "object", "string"]

FITTING: list[tuple[str, str, Any]] = [
    ("5432", "integer", 5432),
    ("+007", "integer", 7),
    (" 5 ", "integer", 5),
    ("5", "number", 5),
    ("1e5", "number", 100000.0),
    ("1.10", "number", 1.1),
    (".5", "number", 0.5),
    ("True", "boolean", True),
    ("off", "boolean", False),
    ("1", "boolean", True),
    ("null", "null", None),
    ("123", "string", "123"),
    ("[1, 2]", "string", "[1, 2]"),
    ("null", "string", "null"),
    ("[1, 2]", "array", [1, 2]),
    ("a, b,1", "array", ["a", "b", 1]),
    ("a", "array", ["a"]),
    ("", "array", []),
    ('{"a": 1}', "object", {"a": 1}),
    ("null", "string null", None),
    ("", "string null", ""),
    ("5", "string integer", 5),
    ("5x", "string integer", "5x"),
    ("1", "boolean integer", 1),
    ("no", "boolean string", "no"),
    ("true", "boolean string", True),
    ("a", "array string", "a"),
    ("a,b", "array string", ["a", "b"]),
    ("[1", "array string", "[1"),
]


@pytest.mark.parametrize(("text", "types", "value"), FITTING)
def test_a_text_is_the_first_of_the_types_that_it_can_be(text: str, types: str, value: Any) -> None:
    read = fit(text, types.split())

    assert repr(read) == repr(value)


@pytest.mark.parametrize(
    ("text", "types", "reason"),
    [
        ("hunter2", "integer", "an integer is wanted"),
        ("5.0", "integer", "an integer is wanted"),
        ("9" * 30, "integer", "does not fit in 64 bits"),
        ("1e999", "number", "infinity"),
        ("1_000", "number", "a number is wanted"),
        ("hunter2", "null boolean", "a boolean or null is wanted"),
        ("hunter2", "object", "an object is wanted"),
        ('{"hunter2"', "object", "breaks at 1:11"),
        ("[hunter2", "array", "breaks at 1:2"),
        ("", "integer", "an integer is wanted"),
        ("\u0661", "integer", "an integer is wanted"),
    ],
)
def test_a_text_that_is_none_of_the_types_is_refused_without_being_told(text: str, types: str, reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        fit(text, types.split())

    assert reason in caught.value.reason
    assert "hunter2" not in caught.value.reason


def test_items_are_of_the_type_that_the_schema_gives_them() -> None:
    text = "1, 2"

    assert fit(text, {"array"}, items={"string"}) == ["1", "2"]
    with pytest.raises(Unfit, match="boolean is wanted"):
        fit(text + ", 3", {"array"}, items={"boolean"})


@pytest.mark.parametrize(
    ("text", "below", "value"),
    [
        ("123", "abc", "123"),
        ("[::1]:1", "localhost", "[::1]:1"),
        ("5", 1, 5),
        ("5", 1.0, 5.0),
        ("1.5", 1, 1.5),
        ("many", 1, "many"),
        ("1", False, True),
        ("2", False, 2),
        ("a,b", ["x"], ["a", "b"]),
        ("1,2", ["x"], ["1", "2"]),
        ("1,2", [], [1, 2]),
        ("one", [], ["one"]),
        ("a,b", "x", "a,b"),
        ("5", None, 5),
        ('{"a": 1}', {"b": 2}, {"a": 1}),
    ],
)
def test_a_text_is_like_the_value_that_it_replaces_when_it_can_be(text: str, below: Any, value: Any) -> None:
    read = like(text, freeze(below))

    assert repr(read) == repr(value)


@given(text=st.text('0123456789.,-+eE{}[]":truefalsn ', max_size=12), types=st.sets(st.sampled_from(TYPES)))
def test_what_fits_is_of_a_wanted_type(text: str, types: set[str]) -> None:
    with contextlib.suppress(Unfit):
        value = fit(text, types)

        assert type_of(value) in types or (type(value) is int and "number" in types)


@given(value=st.booleans() | st.none() | st.integers(-(2**63), 2**64 - 1) | st.floats(0.001, 1e9) | st.text("ab _/"))
def test_canonical_spellings_are_what_they_look_like(value: Any) -> None:
    spelled = {True: "true", False: "false", None: "null"}[value] if value in {True, False, None} else str(value)

    assert guess(spelled) == value
