"""Exit codes, and how an error is told: one line what, one line what to do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from confbus.errors import (
    ChecksFailed,
    ConfBusError,
    FleetLagging,
    InvalidDocument,
    InvalidNamespace,
    InvalidPath,
    InvalidSettings,
    OnHold,
    Quarantined,
    SourceFailed,
)
from confbus.names import plain
from confbus_publisher.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterator

DONE, FAILED, DIFFERENT, REFUSED, LAGGING, USAGE = 0, 1, 2, 3, 4, 64
INTERRUPTED = 130

_CODES = (
    (REFUSED, (ChecksFailed, InvalidDocument, OnHold, Quarantined, SourceFailed)),
    (LAGGING, (FleetLagging,)),
    (USAGE, (InvalidNamespace, InvalidPath, InvalidSettings)),
)


def report(error: BaseException) -> int:
    """Tell `error` on stderr; returns the exit code that stands for it."""
    if os.environ.get("CONFBUS_DEBUG") == "1":
        import traceback

        for line in "".join(traceback.format_exception(error)).splitlines():
            say(line)
    code, lines = _explained(error)
    for number, line in enumerate(lines):
        label = click.style("error:", fg="red", bold=True) if number == 0 else "      "
        say(f"{label} {plain(line)}", indent=" " * len("error: "))
    return code


def code(error: BaseException) -> int:
    """The exit code that stands for `error`."""
    return _explained(error)[0]


def sentences(error: ConfBusError) -> Iterator[str]:
    """What is wrong, a line for each problem, then what to do about it, when anybody knows."""
    match error:
        case ChecksFailed():
            yield from error.problems
        case FleetLagging():
            yield from (error.summary, *error.laggards)
        case _:
            yield error.message
    if error.advice:
        yield error.advice


def _explained(error: BaseException) -> tuple[int, list[str]]:
    match error:
        case click.UsageError():
            help_of = error.ctx.command_path if error.ctx else "confbus"
            return USAGE, [*error.format_message().split("\n"), f"`{help_of} --help` shows what there is."]
        case click.ClickException():
            return FAILED, [error.format_message()]
        case click.Abort() | KeyboardInterrupt():
            return INTERRUPTED, ["interrupted"]
        case ModuleNotFoundError(name=str(name)) if not name.startswith("confbus"):
            return FAILED, [f"the package {name} is not installed here", "pip install 'confbus[publisher]'"]
        case ConfBusError():
            return next((code for code, kinds in _CODES if isinstance(error, kinds)), FAILED), list(sentences(error))
        case _:
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            return FAILED, [f"confbus itself failed: {what}", "CONFBUS_DEBUG=1 shows where; please report it."]
