"""The limit of a guard: how many live instances may refuse a release; and what stands in a store as a guard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus_publisher.guard import guard as guards
from confbus_publisher.guard.guard import Guard
from confbus_publisher.guard.limit import Limit, parse_limit

GUARD = Guard(
    change="ab12",
    version=3,
    back=2,
    digest="f" * 64,
    author="ann",
    since_ms=1000,
    until_ms=61_000,
    vetoes=Limit(5, is_share=True),
)


@pytest.mark.parametrize(
    ("text", "vetoes", "live", "is_passed"),
    [
        ("0", 0, 50, False),
        ("0", 1, 50, True),
        ("2", 2, 50, False),
        ("2", 3, 50, True),
        ("5%", 2, 50, False),
        ("5 %", 3, 50, True),
        ("0.5%", 1, 100, True),
        ("0%", 1, 1, True),
        ("100%", 7, 7, False),
    ],
)
def test_a_limit_is_passed_by_more_than_it_allows(text: str, vetoes: int, live: int, is_passed: bool) -> None:
    limit = parse_limit(text)

    assert limit
    assert limit.is_passed_by(vetoes, live=live) is is_passed
    assert parse_limit(str(limit)) == limit


@pytest.mark.parametrize("text", ["", "-1", "many", "101%", "5%%", "1e3", "0x1", "²", "9999999"])
def test_what_is_neither_a_number_nor_a_share_is_no_limit(text: str) -> None:
    assert parse_limit(text) is None


def test_a_guard_is_read_as_it_was_written() -> None:
    assert guards.parse(GUARD.fields()) == GUARD


@pytest.mark.parametrize("name", ["change", "version", "back", "digest", "since", "until", "vetoes"])
@pytest.mark.parametrize("text", ["", "x y", "-1", "9" * 30])
def test_fields_that_no_publisher_writes_are_no_guard(name: str, text: str) -> None:
    if name in {"change", "digest"} and text == "9" * 30:
        text = "9" * 65

    assert guards.parse({**GUARD.fields(), name: text}) is None


@given(st.dictionaries(st.sampled_from(sorted(GUARD.fields())), st.text(max_size=20)))
def test_whatever_stands_there_is_a_guard_or_none(fields: dict[str, str]) -> None:
    found = guards.parse({**GUARD.fields(), **fields})

    assert found is None or guards.parse(found.fields()) == found


def test_a_guard_is_over_at_its_end_and_not_before() -> None:
    assert not GUARD.is_over(60_999)
    assert GUARD.is_over(61_000)
