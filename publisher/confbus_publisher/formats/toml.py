"""TOML as a configuration language: the standard parser, bounded, with the place of every entry.

Dates and times are refused: other sources could not say them, and a document has no word for them.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidDocument, SourceFailed
from confbus.wire.path import parse
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.formats.scan import Misplaced, lines
from confbus_publisher.formats.secret import without_spelling
from confbus_publisher.formats.toml_scan import scan_toml
from confbus_publisher.formats.tree import conform
from confbus_publisher.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.frozen import Frozen
    from confbus.wire.path import Path

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)\Z")
_ADVICE = "Mend it there, or just before."


def load_toml(text: str, *, origin_name: str) -> tuple[Frozen, Mapping[Path, Origin]]:
    """The mapping that `text` holds, and the place of the key of each leaf and mapping.

    A key or table that is named in several headers has the place of the first. Raises `SourceFailed` with
    `origin_name`, line and column for whatever is wrong, and for what a document cannot hold: dates and times,
    NaN, numbers beyond 64 bits, nesting without end.
    """
    text = text.replace("\r\n", "\n")
    try:
        starts = scan_toml(text)
        parsed = tomllib.loads(text)
    except Misplaced as misplaced:
        [(line, column)] = lines(text, iter((misplaced.at,)))
        raise _refused(origin_name, line, column, misplaced.unfit) from None
    except tomllib.TOMLDecodeError as failure:
        raise _complaint(failure, text, origin_name) from None
    places = lines(text, iter(starts.values()))
    origins = {
        path: Origin(file=origin_name, line=line, column=column)
        for path, (line, column) in zip(starts, places, strict=True)
    }
    return _conformed(parsed, origins, origin_name), without_spelling(origins)


def _conformed(parsed: dict[str, Any], origins: Mapping[Path, Origin], origin_name: str) -> Frozen:
    try:
        return conform(parsed, source=origin_name)
    except InvalidDocument as failure:
        path = parse(failure.path)
        while path not in origins:
            path = path[:-1]
        at = origins[path]
        raise _refused(origin_name, at.line, at.column, Unfit(failure.reason, failure.advice)) from None


def _complaint(failure: tomllib.TOMLDecodeError, text: str, origin_name: str) -> SourceFailed:
    told = str(failure)
    line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    if place := _PLACE.search(told):
        told = told[: place.start()]
        line, column = int(place["line"] or line), int(place["column"] or column)
    return _refused(origin_name, line, column, Unfit(f"this is no TOML: {told[:1].lower()}{told[1:]}", _ADVICE))


def _refused(origin_name: str, line: int, column: int, unfit: Unfit) -> SourceFailed:
    place = Origin(file=origin_name, line=line, column=column)
    return SourceFailed(origin_name, str(place), unfit.reason, advice=unfit.advice)
