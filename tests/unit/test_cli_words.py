"""How the command line puts things: tables, points in time, values that nobody should see."""

from __future__ import annotations

from typing import Any

import pytest

from confbus.names import plain
from confbus.wire.frozen import freeze
from confbus.wire.path import parse
from confbus_publisher.cli.columns import ending, folded, shares, shortened
from confbus_publisher.cli.output import sections_text, table
from confbus_publisher.cli.values import brief, visible
from confbus_publisher.moments import age, iso, local, parse_future, parse_past
from confbus_publisher.secret_patterns import HIDDEN


def test_columns_stand_below_each_other() -> None:
    rows = [["NAME", "N", "WHY"], ["a", "1", "x"], ["long name", "100", ""]]

    head, *lines = table(rows, right=["N"])

    assert "NAME" in head
    assert lines == ["a            1  x", "long name  100"]


def test_letters_of_two_columns_are_counted_as_two() -> None:
    rows = [["NAME", "N"], ["日本語", "1"], ["e\u0301te\u0301", "2"]]

    assert table(rows)[1:] == ["日本語  1", "e\u0301te\u0301     2"]
    assert (shortened("日本語", 5), shortened("日本語", 6), ending("日本語", 5)) == ("日本…", "日本語", "…本語")


def test_of_a_line_that_is_too_narrow_the_wide_columns_get_the_same() -> None:
    assert shares([4, 50, 30, 10], 60, whole=[0]) == [4, 23, 23, 10]
    assert shares([4, 50, 12, 10], 60, whole=[]) == [4, 34, 12, 10]
    assert shares([4, 50, 30, 10], 10, whole=[0]) == [4, 8, 8, 8]


def test_a_sentence_is_folded_between_its_words_and_colours_take_no_room() -> None:
    assert folded("ab cd efghijkl m", 5) == ["ab cd", "efghijkl", "m"]
    assert folded("\x1b[31mab\x1b[0m cd e", 5, indent="  ") == ["\x1b[31mab\x1b[0m cd", "  e"]


def test_a_table_cannot_drive_the_terminal() -> None:
    lines = table([["NAME"], ["\x1b[2Jgone\nnext"]])

    assert lines[1] == "?[2Jgone next"


def test_what_is_shortened_ends_with_a_mark() -> None:
    assert [shortened("abcdef", most) for most in (6, 5)] == ["abcdef", "abcd…"]


def test_plain_text_keeps_letters_of_every_alphabet() -> None:
    assert plain("größe 大小\t1") == "größe 大小 1"


def test_the_section_without_a_name_gets_one() -> None:
    assert sections_text([".", "db"]) == "top-level values (.), db"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_ages_are_told_in_the_largest_unit_of_which_there_are_two(seconds: int, text: str) -> None:
    assert age(1_000_000, 1_000_000 + seconds * 1000) == text


def test_programs_get_times_in_utc() -> None:
    assert iso(1_750_000_000_123) == "2025-06-15T15:06:40.123Z"


@pytest.mark.parametrize(
    ("text", "past_ms", "future_ms"),
    [
        ("90s", 10_000, 190_000),
        ("1.5m", 10_000, 190_000),
        ("2h", 0, 7_300_000),
        ("1w", 0, 604_900_000),
        ("2030-01-31T18:00:00Z", 1_896_112_800_000, 1_896_112_800_000),
        ("0001-01-01T00:00:00Z", 0, 0),
        ("soon", None, None),
        ("2h ago", None, None),
        ("-2h", None, None),
        ("90", None, None),
        ("", None, None),
    ],
)
def test_a_duration_leads_back_or_ahead_and_a_date_to_itself(
    text: str, past_ms: int | None, future_ms: int | None
) -> None:
    assert (parse_past(text, 100_000), parse_future(text, 100_000)) == (past_ms, future_ms)


def test_a_date_without_marks_is_no_number_of_seconds() -> None:
    assert parse_future("20300131", 0) == parse_future("2030-01-31", 0)


@pytest.mark.parametrize("at_ms", [253_402_300_799_999, 10**15, 2**64])
def test_a_time_after_the_end_of_the_calendar_is_told_as_its_end(at_ms: int) -> None:
    assert iso(at_ms).startswith("9999-12-30T")
    assert local(at_ms).startswith("9999-12-")


@pytest.mark.parametrize(
    "path",
    ["database.password", "db.dbPassword", "api_key", "stripe.secret_key", "auth.accessToken", "secrets.smtp.user"],
)
def test_what_is_named_like_a_secret_is_hidden(path: str) -> None:
    assert brief(parse(path), "hunter2") == HIDDEN


@pytest.mark.parametrize(
    "path",
    [
        *("database.host", "limits.max_tokens", "tokenizer.name", "keys.count", "compass", "password_min_length"),
        *("webhooks.createSecretJob.image", "operator.secretFieldSelector"),
    ],
)
def test_what_only_sounds_like_a_secret_is_shown(path: str) -> None:
    assert brief(parse(path), "x") == '"x"'


@pytest.mark.parametrize("value", [None, True, False])
def test_whether_there_is_a_secret_is_none(value: Any) -> None:
    assert visible(("password",), value) is value


def test_a_secret_is_hidden_whatever_its_name() -> None:
    token = "gh" + "p_" + "A1b2" * 9

    assert visible(("x",), f"use {token}") == f"use {HIDDEN}"


def test_how_many_tokens_there_are_is_no_secret() -> None:
    assert visible(("usage", "tokens"), 4096) == 4096
    assert visible(("password",), 4096) == HIDDEN


def test_passwords_inside_urls_and_deep_inside_values_are_hidden() -> None:
    value = freeze([{"url": "postgres://ann:hunter2@db/app", "password": "hunter2"}, "redis://:hunter2@r:6379"])

    assert visible(("servers",), value) == [
        {"url": "postgres://ann:***@db/app", "password": HIDDEN},
        "redis://:***@r:6379",
    ]
