"""Data to stdout, talk to stderr; tables that fit a terminal; colours only where somebody sees them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from confbus.names import plain
from confbus_publisher.cli.columns import columns, ending, folded, padded, shares, shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_GAP = "  "


def show(lines: Iterable[str]) -> None:
    """Print data for people."""
    for line in lines:
        click.echo(line, color=_color())


def show_json(facts: Any, *, is_stream: bool = False) -> None:
    """Print data for programs: one document, or one line of a stream."""
    import json

    from confbus.wire.reference import spelled  # brings msgpack along, which `confbus --version` does without

    text = json.dumps(facts, ensure_ascii=False, indent=None if is_stream else 2, default=spelled)
    # Half a surrogate pair, in what somebody wrote to Redis, is no text.
    click.echo(text.encode("utf-8", "replace").decode())


def present(output: str, facts: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Print `facts` or `lines`, as the option `--output` says."""
    if output == "json":
        show_json(facts)
    else:
        show(lines)


def say(text: str, *, indent: str = "") -> None:
    """Tell a person something that is no data; in a terminal long lines are broken, and go on after `indent`."""
    lines = folded(text, talk_width(), indent=indent) if sys.stderr.isatty() else [text]
    for line in lines:
        click.echo(line, err=True, color=_color())


def talk_width() -> int:
    """How many columns the terminal has in which a person is told something; some do not know it."""
    return os.get_terminal_size(sys.stderr.fileno()).columns or 80


def width() -> int | None:
    """How many columns a line of data may have; None when nobody looks at it in a terminal."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def sentence(text: str, *, indent: str = "") -> list[str]:
    """`text` as data for people; in a terminal in lines that fit, which go on after `indent`."""
    room = width()
    return [text] if room is None else folded(text, room, indent=indent)


def table(
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[str] = (),
    whole: Collection[str] = (),
    tails: Collection[str] = (),
) -> list[str]:
    """The rows in columns, the first one as their heads, by which columns are named here; nothing where there are heads
    alone. Columns in `right` are set to the right.

    In a terminal that is too narrow, columns are cut, but for those in `right` and `whole`; those in `tails` at their
    beginning.
    """
    if len(rows) == 1:
        return []
    places = {head: at for at, head in enumerate(rows[0])}
    to_the_right, uncut, cut_before = ({places[head] for head in heads} for heads in (right, {*right, *whole}, tails))
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    room = width()
    if room is not None:
        widths = shares(widths, room - len(_GAP) * (len(widths) - 1), whole=uncut)
    head, *lines = [_line(row, widths, to_the_right, cut_before if at else ()) for at, row in enumerate(cells)]
    return [click.style(head, dim=True), *lines]


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


def _line(row: Sequence[str], widths: Sequence[int], right: Collection[int], tails: Collection[int]) -> str:
    cells = [
        padded((ending if at in tails else shortened)(cell, widths[at]), widths[at], to_the_right=at in right)
        for at, cell in enumerate(row)
    ]
    return _GAP.join(cells).rstrip()


def _color() -> bool | None:
    """Whether to colour: never when NO_COLOR says so or the terminal has none, else where the stream is a terminal."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None
