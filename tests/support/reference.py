"""Writes docs/reference: commands as click knows them, keys and variables as the code reads them, errors, names.

`make reference` calls it. `tests/house/test_reference.py` fails while a page is not what this would write.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import confbus
from confbus import errors
from confbus.errors import publishing
from confbus.timing import Timing
from confbus_publisher import ConfigManager
from confbus_publisher.cli.program import COMMANDS, program
from support.known_keys import keys_of_settings, keys_of_sources
from support.known_variables import variables
from support.python_reference import offered, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import ModuleType

    from support.known_keys import Key

PAGES = Path(__file__).parents[2] / "docs" / "reference"
_NOTE = "Written by `make reference` from the code, and held to it by a test: change the code, not this page."
_HELP = "--help"


def page(name: str) -> str:
    """The text of the page in the file `name`."""
    return "\n".join(_WRITERS[name]())


def _commands() -> Iterator[str]:
    yield from ("# Commands", "", _NOTE, "", _shown(program.epilog), "")
    for title, names in COMMANDS.items():
        yield from (f"## {title}", "")
        for name in names:
            command = program.get_command(click.Context(program), name)
            assert command is not None
            yield from _command(command, f"confbus {name}")


def _command(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    yield from (f"### {path}", "", inspect.cleandoc(command.help or "").replace("\b\n", ""), "")
    yield from ("```", " ".join([path, *command.collect_usage_pieces(context)]), "```", "")
    options = [record for each in command.get_params(context) if (record := each.get_help_record(context))]
    yield from _table(("option", "what it says"), ((f"`{name}`", text) for name, text in options if _HELP not in name))
    yield from (_shown(command.epilog), "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _command(inner, f"{path} {name}")


def _shown(epilog: str | None) -> str:
    """What stands below a command's help, with its example as a block."""
    parts = [part.replace("\n", " ") for part in inspect.cleandoc(epilog or "").replace("\b\n", "").split("\n\n")]
    blocks = (re.sub(r"^Examples?: (.*)", r"```sh\n\1\n```", part) for part in parts)
    return "\n\n".join(re.sub(r"^JSON: (.*)", r"JSON: `\1`", block) for block in blocks)


def _configuration() -> Iterator[str]:
    yield from ("# Configuration", "", _NOTE, "")
    yield from ("## confbus.yaml", "", "What each key means, [settings](../settings.md) tells.", "")
    yield from _keys(keys_of_settings())
    yield from (
        "## Sources",
        "",
        "Each entry below `sources:` has one of these kinds; [sources](../sources.md) tells more.",
        "",
    )
    for kind, keys in keys_of_sources().items():
        yield from (f"### {kind}", "", *_keys(keys))
    yield from ("## Variables", "")
    yield from _table(("variable", "what it says"), ((f"`{name}`", text) for name, text in variables().items()))
    yield from (
        "## confbus.connect",
        "",
        "[In a worker](../worker.md) and [connecting](../connecting.md) tell more.",
        "",
    )
    yield from _arguments(confbus.connect, confbus.Subscriber)
    yield from (told(confbus.connect), "", told(confbus.Subscriber), "")
    yield from ("## confbus.Timing", "", told(Timing), "")
    timing = ((f"`{each.name}`", f"`{each.type}`", f"`{each.default!r}`") for each in dataclasses.fields(Timing))
    yield from _table(("argument", "form", "without it"), timing)
    yield from ("## ConfigManager", "", "[The manager](../manager.md) tells more.", "")
    yield from _arguments(ConfigManager)
    yield from (told(ConfigManager), "")


def _keys(keys: Iterable[Key]) -> Iterator[str]:
    rows = ((f"`{key.path}`", key.form, f"`{key.default}`" if key.default else "") for key in keys)
    return _table(("key", "form", "without it"), rows)


def _arguments(*callables: Callable[..., Any]) -> Iterator[str]:
    """The arguments of the first of these, with those that it passes on to the others."""
    found: dict[str, inspect.Parameter] = {}
    for each in callables:
        found |= {name: value for name, value in inspect.signature(each).parameters.items() if name not in found}
    named = (value for value in found.values() if value.kind is not value.VAR_KEYWORD)
    rows = ((f"`{each.name}`", f"`{_form(each.annotation)}`", _default(each)) for each in named)
    return _table(("argument", "form", "without it"), rows)


def _form(annotation: object) -> str:
    return str(annotation).replace("|", "or")


def _default(argument: inspect.Parameter) -> str:
    return "required" if argument.default is argument.empty else f"`{argument.default!r}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    lines = [head, ["---"] * len(head), *rows]
    for line in lines if len(lines) > 2 else ():
        cells = (" ".join(cell.split()).replace("|", "\\|") for cell in line)
        yield f"| {' | '.join(cells)} |".replace("|  |", "| |")
    yield ""


def _errors() -> Iterator[str]:
    yield from ("# Errors", "", _NOTE, "")
    yield "What confbus raises on purpose is a `confbus.ConfBusError`, and in `confbus.errors`. As text it says what"
    yield "failed, on what, why, and what to do next, never a value of the configuration; its attributes keep what"
    yield "that is made of."
    yield "[When something is wrong](../troubleshooting.md) explains the messages."
    for title, module in (("In a worker", errors), ("In a publisher", publishing)):
        yield from ("", f"## {title}", "", *_table(("error", "also a", "what it means"), _rows(module)))


def _rows(module: ModuleType) -> Iterator[tuple[str, str, str]]:
    for name, error in vars(module).items():
        if inspect.isclass(error) and issubclass(error, errors.ConfBusError) and error.__module__ == module.__name__:
            bases = (f"`{base.__name__}`" for base in error.__bases__ if base not in {Exception, errors.ConfBusError})
            yield f"`{name}`", ", ".join(bases), told(error)


def _python() -> Iterator[str]:
    yield from ("# In Python", "", _NOTE, "")
    yield from (
        "Arguments of what connects and manages have [tables](configuration.md#confbusconnect).",
        "",
        *offered(),
    )


_WRITERS = {"cli.md": _commands, "configuration.md": _configuration, "errors.md": _errors, "python.md": _python}
NAMES = tuple(_WRITERS)

if __name__ == "__main__":
    for name in NAMES:
        (PAGES / name).write_text(page(name))
