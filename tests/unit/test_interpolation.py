"""`${VARIABLE}` in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus_publisher.interpolation import interpolate
from confbus_publisher.sources.limits import Unfit

VARIABLES = {"HOST": "db", "EMPTY": "", "TRICKY": "${HOST}"}


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
    ],
)
def test_references_are_replaced_once(text: str, meaning: str) -> None:
    variables = dict(VARIABLES)

    replaced = interpolate(text, variables)

    assert replaced == meaning


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${NONE}", "the variable NONE is not set"),
        ("${NONE:?ask the shop team}", "NONE is not set: ask the shop team"),
        ("${EMPTY:?}", "EMPTY is not set"),
        ("${}", "begins no reference"),
        ("${HOST", "begins no reference"),
        ("${A B}", "begins no reference"),
        ("${NONE:${HOST}}", "begins no reference"),
    ],
)
def test_what_cannot_be_replaced_is_refused(text: str, reason: str) -> None:
    variables = dict(VARIABLES)

    with pytest.raises(Unfit) as caught:
        interpolate(text, variables)

    assert reason in caught.value.reason
    assert caught.value.advice


@given(text=st.text())
def test_doubling_the_dollar_keeps_any_text(text: str) -> None:
    escaped = text.replace("${", "$${")

    replaced = interpolate(escaped, {})

    assert replaced == text
