"""JSON, strictly: what the standard parser lets through is refused, and every entry has its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from confbus.errors import SourceFailed
from confbus.wire.frozen import Frozen, FrozenList, freeze
from confbus.wire.reference import KEY
from confbus_publisher.formats.limits import Unfit, fit_float, read_int
from confbus_publisher.formats.scan import Misplaced, check_leaves, lines, scan
from confbus_publisher.formats.secret import reference_in, without_spelling
from confbus_publisher.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.path import Path

_ESCAPE = "\\u0024"


def load_json(text: str, *, origin_name: str) -> tuple[Frozen, Mapping[Path, Origin]]:
    """The mapping that `text` holds, and the place of the key of each leaf and mapping.

    Raises `SourceFailed` with `origin_name`, line and column for whatever is wrong, and for what a document cannot
    hold: duplicate keys, NaN, numbers beyond 64 bits, half characters, nesting without end.
    """
    value, starts = _read(text, origin_name)
    if type(value) is not Frozen:
        raise _refused(text, Misplaced(0, Unfit("the document is no mapping", "Begin with {.")), origin_name)
    places = lines(text, iter(starts.values()))
    return value, {
        path: Origin(file=origin_name, line=line, column=column)
        for path, (line, column) in zip(starts, places, strict=True)
    }


def read_json(text: str, *, origin_name: str) -> Any:
    """The frozen value that `text` holds, of any kind; refused as by `load_json`."""
    return _read(text, origin_name)[0]


def _read(text: str, origin_name: str) -> tuple[Any, dict[Path, int]]:
    """The value, and the offset of each entry."""
    try:
        starts = scan(text)  # Before the parser, which recurses on the C stack.
        value = _parsed(text)
        if KEY in text or _ESCAPE in text:
            return _with_references(value, (), starts), without_spelling(starts)
        return value, starts
    except Misplaced as misplaced:
        raise _refused(text, misplaced, origin_name) from None
    except json.JSONDecodeError as failure:
        reason = failure.msg.partition(":")[0]  # Behind the colon comes a piece of the text.
        unfit = Unfit(f"this is no JSON: {reason[:1].lower()}{reason[1:]}", "Mend it there, or just before.")
        raise _refused(text, Misplaced(failure.pos, unfit), origin_name) from None


def _parsed(text: str) -> Any:
    if not _is_utf8(text) or "\\ud" in text or "\\uD" in text:
        check_leaves(text)
    try:
        return freeze(json.loads(text, parse_int=read_int, parse_float=_read_float, parse_constant=_read_float))
    except Unfit:
        check_leaves(text)  # It finds the same again, and where.
        raise


def _with_references(value: Any, path: Path, starts: Mapping[Path, int]) -> Any:
    if isinstance(value, FrozenList):
        return FrozenList(_with_references(item, (*path, index), starts) for index, item in enumerate(value))
    if not isinstance(value, Frozen):
        return value
    try:
        found = reference_in(value)
    except Unfit as unfit:
        at = next(starts[path[:end]] for end in range(len(path), -1, -1) if path[:end] in starts)
        raise Misplaced(at, unfit) from None
    return found or Frozen({key: _with_references(part, (*path, key), starts) for key, part in value.items()})


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_float(text: str) -> float:
    return fit_float(float(text))


def _refused(text: str, misplaced: Misplaced, origin_name: str) -> SourceFailed:
    [(line, column)] = lines(text, iter((misplaced.at,)))
    place = Origin(file=origin_name, line=line, column=column)
    return SourceFailed(origin_name, str(place), misplaced.unfit.reason, advice=misplaced.unfit.advice)
