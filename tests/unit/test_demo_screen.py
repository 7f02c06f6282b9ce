"""How the demo looks, to a person and to a pipe."""

from __future__ import annotations

import io

import pytest

from confbus_publisher.demo.screen import Screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_terminal_gets_colours_and_pauses() -> None:
    out = Terminal()

    screen = Screen(out)
    screen.show("text", "red")

    assert out.getvalue() == "\x1b[31m     text\x1b[0m\n"
    assert screen.is_watched


def test_a_pipe_gets_neither() -> None:
    out = io.StringIO()

    screen = Screen(out)
    screen.show("text", "red")

    assert out.getvalue() == "     text\n"
    assert not screen.is_watched


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_no_colours_gets_none(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    out = Terminal()

    Screen(out).row("name", "text", "green")

    assert out.getvalue() == "   name         text\n"


def test_what_is_too_long_for_a_line_goes_on_under_its_beginning() -> None:
    out = io.StringIO()

    Screen(out).row("publisher", "word " * 20)

    first, second = out.getvalue().splitlines()
    assert len(first) <= 79
    assert first.index("word") == second.index("word")
