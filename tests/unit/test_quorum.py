"""How much of a fleet is enough."""

from __future__ import annotations

import pytest

from confbus_publisher.quorum import ALL, parse_quorum


@pytest.mark.parametrize(
    ("text", "expected", "needed"),
    [
        ("100%", 50, 50),
        ("95%", 50, 48),
        ("95%", 20, 19),
        ("99.9%", 1000, 999),
        ("1%", 3, 1),
        ("0%", 3, 0),
        ("47", 50, 47),
    ],
)
def test_a_part_of_an_instance_counts_as_one(text: str, expected: int, needed: int) -> None:
    quorum = parse_quorum(text)

    assert quorum
    assert quorum.needed(expected) == needed
    assert str(quorum) == text


@pytest.mark.parametrize("text", ["", "0", "-1", "101%", "100.1%", "%", "1.5", "all", "5 of 7", "1e3", "99999999", "٣"])
def test_what_is_no_quorum_is_none(text: str) -> None:
    assert parse_quorum(text) is None


def test_all_of_nobody_is_nobody() -> None:
    assert ALL.needed(0) == 0
