"""Where the entries of a TOML text stand, found by looking at its keys, strings and brackets only.

As with JSON, the scan is lax and runs first: up to the first mistake it sees what the parser sees, and it spares the
parser nesting and keys without end. It never looks back, so its time is linear in any text.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from confbus_publisher.formats.limits import DEPTH, MOST_DIGITS, NODES, too_deep, too_long, too_many
from confbus_publisher.formats.scan import Misplaced

if TYPE_CHECKING:
    from confbus.wire.path import Path

_TOKEN = re.compile(
    r"#[^\n]*+"
    r'|(?P<string>"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}|"(?!"")(?:[^"\\\n]|\\[^\n])*+"'
    r"|'''(?:[^']|'{1,2}(?!'))*+'{3,5}|'(?!'')[^'\n]*+')"
    r"|(?P<mark>[\[\]{},=.\n])"
    r"|(?P<bare>[^\s\[\]{},=.\"'#]++)"
    r"|(?P<endless>[\"'])",
    re.DOTALL,
)
_WHOLE = re.compile(r"[+-]?[0-9_]+")
_Part = tuple[str, int]


def scan_toml(text: str) -> dict[Path, int]:
    """The offset of the key of each entry outside of lists. Raises `Misplaced` for depth, for endless numbers
    and for more values than a document may have."""
    return _Scan(text).starts


class _Scan:
    """One pass. What stands in a list, or in a table of an array of tables, has no path of its own."""

    def __init__(self, text: str) -> None:
        self.starts: dict[Path, int] = {(): len(text) - len(text.lstrip())}
        self._text = text
        self._arrays: set[Path] = set()
        self._table: Path | None = ()
        self._open: list[tuple[str, Path | None]] = []  # inline tables and lists that are not closed yet
        self._here: Path | None = None  # the entry whose value comes
        self._parts: list[_Part] = []
        self._header = 0  # how many brackets it began with
        self._awaits_key = True
        self._commas = 0
        for token in _TOKEN.finditer(text):
            if not self._take(token, token.lastgroup):
                return

    def _take(self, token: re.Match[str], kind: str | None) -> bool:
        """False when the text makes no sense from here on."""
        if kind == "mark":
            self._commas += token[0] == ","
            if self._commas >= NODES:
                raise Misplaced(token.start(), too_many())
            if self._awaits_key:
                self._mark_in_key(token[0])
            else:
                self._mark_in_value(token[0], token.start())
        elif kind == "endless":
            return False
        elif kind and self._awaits_key:
            if (key := _key(token[0])) is None:
                return False
            self._parts.append((key, token.start()))
            if len(self._parts) > DEPTH:
                raise Misplaced(token.start(), too_deep())
        elif kind == "bare" and token.end() - token.start() > MOST_DIGITS:
            self._check_number(token)
        return True

    def _mark_in_key(self, mark: str) -> None:
        if mark == "[" and not self._open and not self._parts:
            self._header += 1
        elif mark == "]" and self._header and self._parts:
            self._enter_table(is_array=self._header > 1)
        elif mark == "=":
            self._here = self._placed(self._open[-1][1] if self._open else self._table)
            self._awaits_key = False
        elif mark == "}":
            self._close()
        elif mark in "\n,":
            self._parts, self._header = [], 0

    def _mark_in_value(self, mark: str, at: int) -> None:
        if mark in "[{":
            self._open.append((mark, self._here if mark == "{" else None))
            self._here = None
            if len(self._open) > DEPTH:
                raise Misplaced(at, too_deep())
            self._awaits_key = mark == "{"
        elif mark in "]}":
            self._close()
        elif (mark == "\n" and not self._open) or (mark == "," and self._open and self._open[-1][0] == "{"):
            self._awaits_key = True
            self._header = 0

    def _close(self) -> None:
        self._open = self._open[:-1]
        self._parts, self._awaits_key = [], False

    def _enter_table(self, *, is_array: bool) -> None:
        path = tuple(key for key, _ in self._parts)
        self._table = self._placed(())
        if is_array:
            self._arrays.add(path)
            self._table = None

    def _placed(self, base: Path | None) -> Path | None:
        """The path of the key that was read, below `base`; it and what it implies have their place from now on."""
        parts, self._parts = self._parts, []
        if base is None:
            return None
        path = base
        for key, start in parts:
            path = (*path, key)
            if len(path) > DEPTH:
                raise Misplaced(start, too_deep())
            self.starts.setdefault(path, start)
            if len(self.starts) > NODES:
                raise Misplaced(start, too_many())
            if path in self._arrays:
                return None
        return path

    def _check_number(self, token: re.Match[str]) -> None:
        """Python itself refuses thousands of digits, without a place."""
        is_float = "." in {self._text[token.start() - 1], self._text[token.end() : token.end() + 1]}
        if not is_float and _WHOLE.fullmatch(token[0]):
            raise Misplaced(token.start(), too_long())


def _key(word: str) -> str | None:
    """The key that `word` spells, or None when it spells none."""
    if "\\" not in word:
        return word[1:-1] if word[0] in "\"'" else word
    try:
        return str(next(iter(tomllib.loads(f"{word} = 0"))))
    except tomllib.TOMLDecodeError:
        return None
