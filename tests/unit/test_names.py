"""What machines, people and strangers are called."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from confbus.names import host_name, on_a_line, printable
from confbus_publisher import opening

ODD = [
    pytest.param("web-1.example", "web-1.example", id="plain"),
    pytest.param("web 1\n\x1b[31m", "web?1??[31m", id="blanks and commands"),
    pytest.param("w\udcffb-ü", "w?b-?", id="no UTF-8"),
    pytest.param("", "?", id="none"),
    pytest.param("x" * 1000, "x" * 64, id="long"),
]


@pytest.fixture
def _odd_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename="w\udcffb 1\n\x1b[31m" * 20))
    monkeypatch.setenv("LOGNAME", "ann\udcff\x1b[31m" * 100)


@pytest.mark.parametrize(("given", "expected"), ODD)
def test_a_machine_is_called_by_what_a_connection_may_be_called(
    monkeypatch: pytest.MonkeyPatch, given: str, expected: str
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename=given))

    assert host_name() == expected


def test_a_stranger_commands_no_terminal_and_fills_no_page() -> None:
    assert printable("a\x1b[2J\nb\udcff" + "c" * 1000) == "a?[2J?b?" + "c" * 192


def test_a_strangers_words_stand_on_one_line_and_fill_no_page() -> None:
    assert on_a_line(" a\x1b[2J\n\n b\t" + "c" * 1000, most=10) == "a?[2J b cc"


@pytest.mark.usefixtures("_odd_machine")
def test_who_publishes_on_an_odd_machine_has_a_name_of_one_line() -> None:
    names = opening.identity(), opening.author()

    assert all(name.isprintable() and name.encode() and len(name) < 300 for name in names)
