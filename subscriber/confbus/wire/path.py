"""The one grammar of paths: `a.b`, `a["k.with.dots"]`, `hosts[0]`; patterns add `*` (one level) and `**` (any).

Inside the code a path is a tuple of keys and indexes. Text is for people, JSON Pointer for machines.
"""

from __future__ import annotations

from confbus.errors import InvalidPath
from confbus.wire.frozen import is_list, is_mapping
from confbus.wire.remembered import Remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

Path = tuple[str | int, ...]

_PART = r'(?P<key>[^.\[\]"]+)|\[(?P<index>[0-9]{1,9})\]|\[(?P<quoted>"(?:[^"\\]++|\\.)*+")\]'
_MARKS = frozenset('[]"')
_NOT_BARE = frozenset('.[]"*') | set(map(chr, range(32)))
_MAX_DIGITS = 9
_WILDCARDS = ("*", "**")


def parse(text: str) -> Path:
    """The keys and indexes of `text`; the empty text is the whole document. Raises `InvalidPath` with the column."""
    path: Path = _paths[text]
    return path


def is_pattern(text: str) -> bool:
    """True when `text` holds a `*` or `**` that is no quoted key. Raises `InvalidPath`."""
    return any(not literal for _, literal in _tokens(text))


def render(path: Path) -> str:
    """The shortest text that `parse` reads back as `path`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part and _NOT_BARE.isdisjoint(part):
            text += f".{part}" if text else part
        else:
            import json

            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


def pointer(path: Path) -> str:
    """The JSON Pointer (RFC 6901) of `path`, for machine output."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def lookup(tree: Any, path: Path) -> Any:
    """The value at `path`. Raises `KeyError` with the length of the part that exists."""
    for depth, part in enumerate(path):
        if not _has(tree, part):
            raise KeyError(depth)
        tree = tree[part]
    return tree


def nearest(tree: Any, path: Path) -> str:
    """The existing path that looks most like `path`, or the empty text when nothing does."""
    import difflib

    for depth, part in enumerate(path):
        if is_mapping(tree):
            candidates: Sequence[str] = list(tree)
        elif is_list(tree) and tree:
            return render((*path[:depth], _nearest_index(part, len(tree))))
        else:
            return render(path[:depth])
        if part in tree:
            tree = tree[part]
            continue
        close = difflib.get_close_matches(str(part), candidates, n=1, cutoff=0.6)
        if not close:
            return ""
        rest = path[depth + 1 :]
        guess = (*path[:depth], close[0])
        try:
            lookup(tree[close[0]], rest)
        except KeyError:
            return render(guess)
        return render((*guess, *rest))
    return ""


def leaves(tree: Mapping[str, Any], prefix: Path = ()) -> list[tuple[Path, Any]]:
    """Every leaf under `tree`; a list is a leaf, and so is an empty mapping."""
    found: list[tuple[Path, Any]] = []
    for key, value in tree.items():
        if is_mapping(value) and value:
            found += leaves(value, (*prefix, key))
        else:
            found.append(((*prefix, key), value))
    return found


class Pattern:
    """A path that may hold `*` (exactly one level) and `**` (any number); it also matches all that lies below.

    `database` matches `database` and `database.pool.size`; `services.*.port` matches `services.web.port`.
    Quoted keys are literal: `["*"]` is the key `*`.
    """

    __slots__ = ("_parts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = _tokens(text)

    def matches(self, path: Path) -> bool:
        return self._match(path, 0, 0, covering=False)

    def touches(self, path: Path) -> bool:
        """True also when something below `path` could match: a leaf that vanished took all below with it."""
        return self._match(path, 0, 0, covering=True)

    def _match(self, path: Path, at: int, here: int, *, covering: bool) -> bool:
        if here == len(self._parts):
            return True
        if at == len(path):
            return covering or all(part == "**" and not literal for part, literal in self._parts[here:])
        part, literal = self._parts[here]
        if not literal and part == "**":
            return any(self._match(path, start, here + 1, covering=covering) for start in range(at, len(path) + 1))
        if (not literal and part == "*") or part == path[at]:
            return self._match(path, at + 1, here + 1, covering=covering)
        return False

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"


def _has(tree: Any, part: str | int) -> bool:
    if isinstance(part, str):
        return is_mapping(tree) and part in tree
    return is_list(tree) and 0 <= part < len(tree)


def _nearest_index(part: str | int, length: int) -> int:
    index = (
        part
        if isinstance(part, int)
        else int(part)
        if part.isdecimal() and part.isascii() and len(part) <= _MAX_DIGITS
        else length
    )
    return max(0, min(index, length - 1))


def _tokens(text: str) -> tuple[tuple[str | int, bool], ...]:
    """Each part of `text`, and whether it is literal whatever it looks like (quoted, or an index)."""
    if _MARKS.isdisjoint(text):
        keys = text.split(".")
        if "" not in keys:
            return tuple((key, key not in _WILDCARDS) for key in keys)
    return tuple(_scanned(text))


def _scanned(text: str) -> list[tuple[str | int, bool]]:
    import re  # most paths are plain keys and dots, and a process that reads no others starts without it

    parts: list[tuple[str | int, bool]] = []
    at = 0
    while at < len(text):
        if parts and text[at] == ".":
            at += 1
            if at == len(text) or text[at] in ".[":
                raise InvalidPath(text, at + 1, "a key is missing")
        elif parts and text[at] != "[":
            raise InvalidPath(text, at + 1, f"a dot is missing before {text[at]!r}")
        token = re.compile(_PART).match(text, at)
        if token is None:
            raise InvalidPath(text, at + 1, f"{text[at]!r} cannot stand")
        if (key := token["key"]) is not None:
            parts.append((key, key not in _WILDCARDS))
        elif (index := token["index"]) is not None:
            parts.append((int(index), True))
        else:
            parts.append((_unquoted(text, at, token["quoted"]), True))
        at = token.end()
    return parts


def _unquoted(text: str, at: int, quoted: str) -> str:
    import json

    try:
        return str(json.loads(quoted))
    except ValueError:
        raise InvalidPath(text, at + 1, "the quoted key is no JSON string") from None


_paths = Remembered(lambda text: tuple(part for part, _ in _tokens(text)))
