"""`.env` files: KEY=value lines, read strictly, with the names and values of the environment's own rule.

A name with `__` is split there alone (`DATABASE__MAX_SIZE` is `database.max_size`, `__LOG_LEVEL` is `log_level`),
any other at each `_`; keys are lower-case. Quotes only delimit, as in a shell: `PORT="5432"` is a number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from confbus.errors import SourceFailed
from confbus.wire.frozen import Frozen, freeze
from confbus_publisher.formats.limits import DEPTH, NODES, Unfit, fit_text, too_many
from confbus_publisher.formats.literal import guess
from confbus_publisher.formats.scan import Misplaced, lines
from confbus_publisher.formats.tree import paths
from confbus_publisher.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confbus.wire.path import Path

_NOTHING = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\n|\Z)")
_NAME = re.compile(r"[ \t]*+(?:export[ \t]++)?(?P<name>[A-Za-z_][A-Za-z0-9_]*+)[ \t]*+=[ \t]*+")
_QUOTED = re.compile(r"'(?P<literal>[^']*+)'|\"(?P<escaped>(?:[^\"\\]|\\.)*+)\"", re.DOTALL)
_BARE = re.compile(r"(?:[^\n#]|(?<![ \t])#)*+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"'}


class _Variable(NamedTuple):
    at: int
    name: str
    text: str
    text_at: int


def load_dotenv(text: str, *, origin_name: str) -> tuple[Frozen, Mapping[Path, Origin]]:
    r"""The mapping that the variables in `text` make, and the place of each leaf and mapping.

    A value in quotes may have several lines; in double quotes \n, \r, \t, \" and \\ are known. A comment begins
    with # at the start or after a space. Raises `SourceFailed` with `origin_name`, line and column for a line that
    is none of this, for a name that stands twice, and when one variable is a value and another something inside it.
    """
    text = text.replace("\r\n", "\n")
    try:
        variables = list(_variables(text))
        places = lines(text, (variable.at for variable in variables))
        origins = [Origin(file=origin_name, line=line, column=column) for line, column in places]
        return _tree(dict(zip(variables, origins, strict=True)), Origin(file=origin_name, line=1, column=1))
    except Misplaced as misplaced:
        [(line, column)] = lines(text, iter((misplaced.at,)))
        place = Origin(file=origin_name, line=line, column=column)
        raise SourceFailed(origin_name, str(place), misplaced.unfit.reason, advice=misplaced.unfit.advice) from None


def _variables(text: str) -> Iterator[_Variable]:
    at = count = 0
    while at < len(text):
        if nothing := _NOTHING.match(text, at):
            at = nothing.end()
            continue
        name = _NAME.match(text, at)
        if name is None:
            at += len(text) - at - len(text[at:].lstrip(" \t"))
            raise Misplaced(at, Unfit("this is no NAME=value", "Write one, or begin a comment with #."))
        if (count := count + 1) > NODES:
            raise Misplaced(name.start("name"), too_many())
        value, end = _value(text, name.end())
        yield _Variable(name.start("name"), name["name"], value, name.end())
        nothing = _NOTHING.match(text, end)
        if nothing is None:
            raise Misplaced(end, Unfit("something stands behind the closing quote", "Remove it, or quote it all."))
        at = nothing.end()


def _value(text: str, at: int) -> tuple[str, int]:
    """The value that begins at `at`, and where it ends."""
    if not text.startswith(("'", '"'), at):
        bare = _BARE.match(text, at)
        return (bare[0].rstrip(), bare.end()) if bare else ("", at)
    quoted = _QUOTED.match(text, at)
    if quoted is None:
        raise Misplaced(at, Unfit("the quote that begins here is not closed", "Close it."))
    if quoted["literal"] is not None:
        return quoted["literal"], quoted.end()
    for escape in _ESCAPE.finditer(quoted["escaped"]):
        if escape[1] not in _ESCAPES:
            advice = "Write \\\\ for a backslash, or use single quotes."
            raise Misplaced(quoted.start("escaped") + escape.start(), Unfit("this escape means nothing here", advice))
    return _ESCAPE.sub(lambda escape: _ESCAPES[escape[1]], quoted["escaped"]), quoted.end()


def _tree(variables: Mapping[_Variable, Origin], start: Origin) -> tuple[Frozen, dict[Path, Origin]]:
    taken: dict[Path, tuple[_Variable, Origin]] = {}
    for variable, origin in variables.items():
        path = _path(variable)
        if path in taken:
            raise _clash(variable, taken[path])
        taken[path] = (variable, origin)
    tree: dict[str, Any] = {}
    origins: dict[Path, Origin] = {(): start}
    for path, (variable, origin) in sorted(taken.items(), key=lambda item: len(item[0])):
        inner = tree
        for depth, key in enumerate(path[:-1], start=1):
            if path[:depth] in taken:
                raise _clash(variable, taken[path[:depth]])
            origins.setdefault(path[:depth], origin)
            inner = inner.setdefault(str(key), {})
        value = inner[str(path[-1])] = _read(variable)
        below = paths(value, path) if isinstance(value, Frozen) else (path,)
        origins.update(dict.fromkeys(below, origin))
        if len(origins) > NODES:
            raise Misplaced(variable.at, too_many())
    return freeze(tree), origins


def _path(variable: _Variable) -> Path:
    name = variable.name.removeprefix("__")
    keys = name.split("__" if "__" in variable.name else "_")
    if not all(keys) or len(keys) > DEPTH:
        reason = "a key in its name is empty" if len(keys) <= DEPTH else "its name has too many levels"
        raise Misplaced(variable.at, Unfit(reason, "Write SECTION_KEY, or SECTION__SOME_KEY."))
    return tuple(key.lower() for key in keys)


def _read(variable: _Variable) -> Any:
    try:
        return guess(fit_text(variable.text))
    except Unfit as unfit:
        raise Misplaced(variable.text_at, unfit) from None


def _clash(variable: _Variable, other: tuple[_Variable, Origin]) -> Misplaced:
    reason = (
        f"{variable.name} sets a value where {other[0].name} on line {other[1].line} sets the same, or one around it"
    )
    advice = "Remove one, or write __ between levels so that _ can stand in a key: __SOME_KEY is some_key."
    return Misplaced(variable.at, Unfit(reason, advice))
