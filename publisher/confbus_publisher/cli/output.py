"""Data to stdout, talk to stderr; tables that fit a terminal; colours only where somebody sees them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_GAP = "  "
_LEAST = 8


def show(lines: Iterable[str]) -> None:
    """Print data for people."""
    for line in lines:
        click.echo(line, color=_color())


def show_json(facts: Any, *, is_stream: bool = False) -> None:
    """Print data for programs: one document, or one line of a stream."""
    import json

    from confbus.wire.reference import spelled  # brings msgpack along, which `confbus --version` does without

    click.echo(json.dumps(facts, ensure_ascii=False, indent=None if is_stream else 2, default=spelled))


def present(output: str, facts: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Print `facts` or `lines`, as the option `--output` says."""
    if output == "json":
        show_json(facts)
    else:
        show(lines)


def say(text: str, *, indent: str = "") -> None:
    """Tell a person something that is no data; in a terminal long lines are broken, and go on after `indent`."""
    if sys.stderr.isatty():
        import textwrap

        text = textwrap.fill(
            text, talk_width(), subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
        )
    click.echo(text, err=True, color=_color())


def talk_width() -> int:
    """How many columns the terminal has in which a person is told something; some do not know it."""
    return os.get_terminal_size(sys.stderr.fileno()).columns or 80


def width() -> int | None:
    """How many columns a line of data may have; None when nobody looks at it in a terminal."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> list[str]:
    """The rows in columns, the first one as their heads. Numbers of columns in `right` are set to the right.

    The last column is cut where the terminal ends.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    last, room = len(widths) - 1, width()
    if room is not None and last not in right:
        widths[last] = max(room - sum(widths[:last]) - len(_GAP) * last, _LEAST)
    lines = [_line(row, widths, right) for row in cells]
    return [click.style(lines[0], dim=True), *lines[1:]]


def shortened(text: str, most: int) -> str:
    """`text` on one line, its end replaced by … when it has more than `most` characters."""
    line = plain(text)
    return line if len(line) <= most else line[: most - 1] + "…"


def plain(text: str) -> str:
    """`text` on one line, without anything that a terminal could take for a command."""
    return "".join(char if char.isprintable() else " " if char.isspace() else "?" for char in text)


def counted(number: int, noun: str) -> str:
    """`1 value`, `2 values`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], *, most: int = 5) -> str:
    """`a, b, c`, and how many more there are."""
    shown = ", ".join(names[:most]) or "nothing"
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def sections_text(names: Sequence[str], *, most: int = 5) -> str:
    """Names of sections, with a word for the one that has no name of its own."""
    return listed(["top-level values (.)" if name == "." else name for name in names], most=most)


def _line(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    cells = (shortened(cell, most) for cell, most in zip(row, widths, strict=True))
    padded = (cell.rjust(widths[at]) if at in right else cell.ljust(widths[at]) for at, cell in enumerate(cells))
    return _GAP.join(padded).rstrip()


def _color() -> bool | None:
    """Whether to colour: never when NO_COLOR says so, else where the stream is a terminal."""
    return False if os.environ.get("NO_COLOR") else None
