"""`${…}` in a text."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confbus_publisher.expansion.interpolation import (
    MOST_CHARACTERS,
    Reference,
    Template,
    interpolate,
    is_reference,
    parse,
)
from confbus_publisher.formats.limits import Unfit
from support.scale import scaled

VARIABLES = {"HOST": "db", "EMPTY": "", "TRICKY": "${HOST}", "file": "a variable"}
FILES = {"/run/secrets/pw": "hunter2", "-x": "dash"}


def refusal(text: str) -> Unfit:
    with pytest.raises(Unfit) as caught:
        interpolate(text, VARIABLES, FILES.__getitem__)
    return caught.value


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", ""),
        ("plain $HOST 5$ $", "plain $HOST 5$ $"),
        ("${HOST}", "db"),
        ("redis://${HOST}:${PORT:6379}/0", "redis://db:6379/0"),
        ("${HOST:other}", "db"),
        ("${EMPTY:other}", ""),
        ("${EMPTY:-other}", "other"),
        ("${NONE:-other}", "other"),
        ("${NONE:}", ""),
        ("${NONE:a:b}", "a:b"),
        ("${NONE: -1}", " -1"),
        ("${HOST:?is needed}", "db"),
        ("$${HOST}", "${HOST}"),
        ("$$${HOST}", "$${HOST}"),
        ("${TRICKY}", "${HOST}"),
        ('${NONE:{"a": {"b": 1}}}', '{"a": {"b": 1}}'),
        ("${NONE:{}}}", "{}}"),
        ("${NONE:$${HOST}}", "${HOST}"),
        ("a${HOST}}", "adb}"),
        ("${file:/run/secrets/pw}!", "hunter2!"),
        ("${file:-x}", "dash"),
        ("${file}", "a variable"),
    ],
)
def test_references_are_replaced_once(text: str, meaning: str) -> None:
    variables = dict(VARIABLES)

    replaced = interpolate(text, variables, FILES.__getitem__)

    assert replaced == meaning


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${NONE}", "the variable NONE is not set"),
        ("${NONE:?ask the shop team}", "NONE is not set or is empty: ask the shop team"),
        ("${EMPTY:?}", "EMPTY is not set or is empty"),
        ("${}", "begins no reference"),
        ("${HOST", "begins no reference"),
        ("${A B}", "begins no reference"),
        ("${a.b}", "begins no reference"),
        ("${{ a }}", "begins no reference"),
        ("${NONE:a", "never closed"),
        ("${NONE:{}", "never closed"),
        ("${NONE:${HOST}}", "within another"),
        ("${ref:a.b}", "cannot stand here"),
    ],
)
def test_what_cannot_be_replaced_is_refused(text: str, reason: str) -> None:
    unfit = refusal(text)

    assert reason in unfit.reason
    assert unfit.advice


def test_a_file_needs_somebody_who_reads_it() -> None:
    text = "${file:/run/secrets/pw}"

    with pytest.raises(Unfit, match="cannot stand here"):
        interpolate(text, VARIABLES)


@pytest.mark.parametrize(("text", "is_one"), [("${A}", True), ("${A:${B}}", False), ("${A}}", False), ("$${A}", False)])
def test_exactly_one_reference_is_told_from_a_text_with_some(text: str, is_one: bool) -> None:
    assert is_reference(text) is is_one


def test_a_number_behind_the_shells_dash_is_doubtful() -> None:
    [one, other, third] = (parse(text)[0] for text in ("${A:-5}", "${A:-five}", "${A:5}"))

    assert isinstance(one, Reference)
    assert (one.rest, one.is_doubtful) == ("5", True)
    assert isinstance(other, Reference)
    assert not other.is_doubtful
    assert isinstance(third, Reference)
    assert not third.is_doubtful


def test_a_default_is_not_shown() -> None:
    template = parse("${PASSWORD:hunter2}")

    assert "hunter2" not in repr(template)


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["${", "${A:", "${A:{", "$${", "${A}", "${A:{}}", "$", "{", "${A:$${"])
def test_a_large_text_of_any_kind_is_read_in_one_pass(piece: str) -> None:
    text = piece * 100_000

    with contextlib.suppress(Unfit):
        interpolate(text, {"A": ""})


@pytest.mark.slow
def test_many_uses_of_a_long_variable_do_not_fill_the_memory() -> None:
    text = "${LONG}" * 100_000

    with pytest.raises(Unfit, match="longer than"):
        interpolate(text, {"LONG": "x" * (MOST_CHARACTERS // 10)})


@given(text=st.text() | st.text("${}:$"))
def test_doubling_the_dollar_keeps_any_text(text: str) -> None:
    escaped = text.replace("${", "$${")

    replaced = interpolate(escaped, {})

    assert replaced == text


@pytest.mark.slow
@settings(max_examples=scaled(test=200, soak=5_000), deadline=None)
@given(text=st.text('${}:-?A" ', max_size=40), value=st.text("${}A", max_size=5))
def test_any_text_is_replaced_or_refused_and_what_comes_in_comes_in_whole(text: str, value: str) -> None:
    with contextlib.suppress(Unfit):
        parts = parse(text)
        replaced = interpolate(text, {"A": value, "AA": value})

        assert is_made_of(replaced, parts, value)


def is_made_of(text: str, parts: Template, value: str) -> bool:
    """Whether `text` is the plain parts in their order, with a value or a default at each reference."""
    for part in parts:
        known = part.name in {"A", "AA"} if isinstance(part, Reference) else True
        empty = isinstance(part, Reference) and part.how == ":-" and not value
        piece = part if isinstance(part, str) else value if known and not empty else part.rest
        if not text.startswith(piece):
            return False
        text = text.removeprefix(piece)
    return not text
