"""Data to stdout, talk to stderr; tables that fit a terminal; colours only where somebody sees them."""

from __future__ import annotations

import json
import os
import shutil
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
    click.echo(json.dumps(facts, ensure_ascii=False, indent=None if is_stream else 2))


def present(output: str, facts: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Print `facts` or `lines`, as the option `--output` says."""
    if output == "json":
        show_json(facts)
    else:
        show(lines)


def say(text: str) -> None:
    """Tell a person something that is no data."""
    click.echo(text, err=True, color=_color())


def width() -> int | None:
    """How many columns a line of data may have; None when nobody looks at it in a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> list[str]:
    """The rows in columns, the first one as their heads. Numbers of columns in `right` are set to the right.

    The last column is cut where the terminal ends.
    """
    widths = [max(map(_length, column)) for column in zip(*rows, strict=True)]
    last, room = len(widths) - 1, width()
    if room is not None:
        widths[last] = max(room - sum(widths[:last]) - len(_GAP) * last, _LEAST)
    lines: list[str] = []
    for number, row in enumerate(rows):
        cells = [_padded(cell, widths[at], is_right=at in right) for at, cell in enumerate(row[:last])]
        cells.append(shortened(row[last], widths[last]))
        line = _GAP.join(cells).rstrip()
        lines.append(click.style(line, dim=True) if number == 0 else line)
    return lines


def shortened(text: str, most: int) -> str:
    """`text` on one line, its end replaced by … when it has more than `most` characters."""
    line = " ".join(text.split())
    return line if _length(line) <= most else click.unstyle(line)[: most - 1] + "…"


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


def _padded(cell: str, most: int, *, is_right: bool) -> str:
    gap = " " * (most - _length(cell))
    return gap + cell if is_right else cell + gap


def _length(cell: str) -> int:
    return len(click.unstyle(cell))


def _color() -> bool | None:
    """Whether to colour: never when NO_COLOR says so, else where the stream is a terminal."""
    return False if os.environ.get("NO_COLOR") else None
