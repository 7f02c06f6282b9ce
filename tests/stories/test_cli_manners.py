"""How every command behaves: exit codes, errors in two lines, no tracebacks, where it finds what it needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from confbus.errors import ConfBusError
from confbus_publisher.cli import outcome
from confbus_publisher.cli.program import COMMANDS, program

if TYPE_CHECKING:
    from support.shop import Shop

NAMES = [name for names in COMMANDS.values() for name in names]
READERS = ["status", "get", "history", "fleet", "resume", "adopt-head"]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_an_example_that_it_understands(shop: Shop, name: str) -> None:
    answer = shop.confbus(name, "--help")

    example = re.search(r"Example: confbus (\S+) ?(.*)", answer.out)
    assert answer.code == 0
    assert example
    assert example[1] == name
    assert max(map(len, answer.out.splitlines())) <= 80


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"run", "demo"}])
def test_the_keys_of_the_json_are_documented(shop: Shop, name: str) -> None:
    assert "JSON: " in shop.confbus(name, "--help").out


@pytest.mark.parametrize("name", NAMES)
def test_the_list_of_commands_tells_the_first_sentence_of_each(name: str) -> None:
    command = program.get_command(click.Context(program), name)
    told = {each: text for group in COMMANDS.values() for each, text in group.items()}

    assert command
    assert command.get_short_help_str(1000) == told[name]


def test_each_command_has_one_line_in_the_help(shop: Shop) -> None:
    lines = [" ".join(line.split()) for line in shop.confbus().out.splitlines()]

    assert [name for group in COMMANDS.values() for name, told in group.items() if f"{name} {told}" not in lines] == []


def test_without_a_command_the_help_is_shown(shop: Shop) -> None:
    answer = shop.confbus()

    assert answer.code == 0
    assert all(f"  {name} " in answer.out for name in NAMES)


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["status", "--nonsense"], ["status", "--output", "xml"], ["set"], ["get", "a", "b"], ["-x"]],
)
def test_misuse_is_told_with_the_place_of_help(shop: Shop, words: list[str]) -> None:
    answer = shop.confbus(*words)

    assert (answer.code, answer.out) == (64, "")
    assert answer.err.startswith("error: ")
    assert "--help` shows what there is." in answer.err


def test_a_command_that_is_nearly_right_is_named(shop: Shop) -> None:
    assert "Did you mean 'status'?" in shop.confbus("stauts").err


def test_a_server_that_is_not_there_fails_in_two_lines_without_its_password(shop: Shop) -> None:
    shop.url = "redis://ann:hunter2@127.0.0.1:1/0"
    shop.settle()

    answer = shop.confbus("status")

    assert answer.code == 1
    assert [line[:7] for line in answer.err.splitlines()] == ["error: ", " " * 7]
    assert "Redis at redis://ann:***@127.0.0.1:1/0 is unreachable" in answer.err


@pytest.mark.parametrize("name", READERS)
def test_who_names_server_and_namespace_needs_no_settings(shop: Shop, name: str) -> None:
    shop.confbus("publish")
    (shop.directory / "confbus.yaml").write_text("nonsense: [\n")
    assert shop.url

    answer = shop.confbus(name, "--url", shop.url, "-n", shop.namespace)

    assert answer.code == 0


def test_the_environment_names_server_and_namespace_too(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.confbus("publish")
    (shop.directory / "confbus.yaml").unlink()
    assert shop.url
    monkeypatch.setenv("CONFBUS_URL", shop.url)
    monkeypatch.setenv("CONFBUS_NAMESPACE", shop.namespace)

    assert shop.confbus("get", "number").out == "1\n"


def test_the_environment_names_the_settings_too(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.directory / "confbus.yaml").rename(shop.directory / "other.yaml")
    monkeypatch.setenv("CONFBUS_CONFIG", "other.yaml")

    assert shop.confbus("check").code == 0


def test_settings_somewhere_else_bring_their_sources_along(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.directory.parent)

    answer = shop.confbus("plan", "-c", "shop/confbus.yaml")

    assert answer.code == 2
    assert "shop/config/app.yaml:1" in answer.out


def test_who_names_nothing_is_told_what_to_name(shop: Shop) -> None:
    (shop.directory / "confbus.yaml").unlink()

    answer = shop.confbus("status")

    assert answer.code == 64
    assert "-n and --url" in answer.err


@pytest.mark.parametrize("words", [["status"], ["status", "-n", "shop"], ["plan"]])
def test_without_a_url_a_server_must_run_here(shop: Shop, words: list[str]) -> None:
    shop.url = None
    shop.settle()

    answer = shop.confbus(*words)

    assert answer.code == 1
    assert "Start `confbus run` there, or name a server with --url." in answer.err


def test_wrong_settings_are_a_misuse_with_their_line(shop: Shop) -> None:
    shop.settle("history: 1")

    answer = shop.confbus("status")

    assert answer.code == 64
    assert "confbus.yaml:7:1: history must be at least 16" in answer.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfBusError("it failed."), 1),
        (ZeroDivisionError("division by zero"), 1),
        (click.UsageError("wrong"), 64),
        (click.Abort(), 130),
    ],
)
def test_no_error_shows_a_traceback(error: Exception, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome.report(error) == code

    assert "Traceback" not in capsys.readouterr().err


def test_a_package_that_is_not_there_is_named_with_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    outcome.report(ModuleNotFoundError("No module named 'watchfiles'", name="watchfiles"))

    told = capsys.readouterr().err
    assert told == "error: the package watchfiles is not installed here\n       pip install 'confbus[publisher]'\n"


def test_a_traceback_is_there_for_who_asks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFBUS_DEBUG", "1")

    answer = shop.confbus("diff", "1")

    assert "Traceback" in answer.err
    assert "error: Nothing is published" in answer.err
