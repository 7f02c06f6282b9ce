"""How wide a text is in a terminal, where letters of some alphabets have two columns, and what to cut when it is too
wide."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confbus.names import plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_LEAST = 8
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def columns(text: str) -> int:
    """How many columns a terminal gives to `text`; the marks that colour it have none."""
    text = _STYLE.sub("", text)
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def shortened(text: str, most: int) -> str:
    """`text` on one line, its end replaced by … when it has more than `most` columns."""
    line = plain(text)
    return line if columns(line) <= most else _fitting(line, most - 1) + "…"


def ending(text: str, most: int) -> str:
    """`text` on one line, its beginning replaced by … when it has more than `most` columns."""
    line = plain(text)
    return line if columns(line) <= most else "…" + _fitting(line[::-1], most - 1)[::-1]


def padded(text: str, width: int, *, to_the_right: bool = False) -> str:
    """`text` with spaces behind it, or before it, up to `width` columns."""
    space = " " * (width - columns(text))
    return space + text if to_the_right else text + space


def shares(widths: Sequence[int], room: int, *, whole: Collection[int]) -> list[int]:
    """How much of `room` each column of a table gets: those that are `whole` and those that are narrow all they need,
    the others equally much, and each a few."""
    given = list(widths)
    elastic = sorted((at for at in range(len(widths)) if at not in whole), key=widths.__getitem__)
    left = room - sum(widths[at] for at in whole)
    for number, at in enumerate(elastic):
        given[at] = min(widths[at], max(left // (len(elastic) - number), _LEAST))
        left -= given[at]
    return given


def folded(text: str, room: int, *, indent: str = "") -> list[str]:
    """`text` in lines of at most `room` columns, the second and all others after `indent`; no word is broken."""
    first, *words = text.split(" ")
    lines = [first]
    for word in words:
        if columns(lines[-1]) + 1 + columns(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(indent + word)
    return lines


def _fitting(letters: Iterable[str], room: int) -> str:
    """The first of `letters` that fit into `room`."""
    found: list[str] = []
    for letter in letters:
        room -= _columns_of(letter)
        if room < 0:
            break
        found.append(letter)
    return "".join(found)


def _columns_of(letter: str) -> int:
    import unicodedata

    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
