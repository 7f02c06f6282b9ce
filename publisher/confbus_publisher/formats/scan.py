"""Where the entries of a JSON text stand, found by looking at its strings and brackets only.

The scan is lax: up to the first mistake it sees what a parser sees, and a parser stops there. So it may run first,
and spare the parser what would hurt it. It never looks back, so its time is linear in any text.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from confbus_publisher.formats.limits import DEPTH, NODES, Unfit, fit_float, fit_text, read_int, too_deep, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.wire.path import Path

# A lone quote begins a string without an end; to look on behind it could take time quadratic in the text.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRUCTURE = re.compile(rf'({_STRING})(?:\s*+(:))?|[{{}}\[\]"]', re.DOTALL)
_COMMA = re.compile(rf'{_STRING}|[,"]', re.DOTALL)
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?"
_LEAF = re.compile(rf'{_STRING}|-?(?:NaN|Infinity)|{_NUMBER}|"', re.DOTALL)


class Misplaced(Exception):
    """What no document can hold, and the offset at which it stands."""

    def __init__(self, at: int, unfit: Unfit) -> None:
        self.at = at
        self.unfit = unfit
        super().__init__(unfit.reason)


class _Open(NamedTuple):
    """An object or a list that is not closed yet. Entries of what stands in a list have no path of their own."""

    path: Path | None
    keys: dict[str, int]


def scan(text: str) -> dict[Path, int]:
    """The offset of the key of each entry outside of lists. Raises `Misplaced` for duplicate keys, for depth and for
    more values than a document may have."""
    if text.count(",") >= NODES:
        _count_values(text)
    starts: dict[Path, int] = {(): len(text) - len(text.lstrip())}
    inside: list[_Open] = [_Open(None, {})]
    here: Path | None = ()
    for token in _STRUCTURE.finditer(text):
        if token.lastindex == 1:  # a string that is a value
            continue
        if token.lastindex:
            here = _enter(token, inside[-1], text)
            if here is not None:
                starts[here] = token.start()
        elif (what := token[0]) == '"':
            break
        elif what in "{[":
            inside.append(_Open(here if what == "{" else None, {}))
            here = None
            if len(inside) > DEPTH + 1:
                raise Misplaced(token.start(), too_deep())
        elif len(inside) > 1:
            inside.pop()
    return starts


def check_leaves(text: str) -> None:
    """Raises `Misplaced` for the first NaN, infinity, number beyond 64 bits, or escape of half a character."""
    for token in _LEAF.finditer(text):
        if token[0] == '"':
            return
        try:
            _check_leaf(token[0])
        except Unfit as unfit:
            raise Misplaced(token.start(), unfit) from None
        except ValueError:  # No JSON at all: the parser will say so, and better.
            return


def lines(text: str, offsets: Iterator[int]) -> Iterator[tuple[int, int]]:
    """The line and column of each offset, which must not decrease."""
    line, begins, last = 1, 0, 0
    for at in offsets:
        if passed := text.count("\n", last, at):
            line += passed
            begins = text.rfind("\n", last, at) + 1
        last = at
        yield line, at - begins + 1


def _count_values(text: str) -> None:
    """A comma outside of strings stands before each value but the first of what holds it."""
    commas = 0
    for token in _COMMA.finditer(text):
        commas += token[0] == ","
        if commas >= NODES:
            raise Misplaced(token.start(), too_many())


def _enter(token: re.Match[str], mapping: _Open, text: str) -> Path | None:
    try:
        key = str(json.loads(token[1])) if "\\" in token[1] else token[1][1:-1]
    except ValueError:  # As above.
        return None
    if key in mapping.keys:
        line = text.count("\n", 0, mapping.keys[key]) + 1
        unfit = Unfit(f"the key {key!r} stands on line {line} already", "Keep one of them.")
        raise Misplaced(token.start(), unfit)
    mapping.keys[key] = token.start()
    return None if mapping.path is None else (*mapping.path, key)


def _check_leaf(token: str) -> None:
    if token.startswith('"'):
        fit_text(json.loads(token))
    elif token.endswith(("NaN", "Infinity")):
        fit_float(float("nan"))
    elif token.removeprefix("-").isdecimal():
        read_int(token)
    else:
        fit_float(float(token))
