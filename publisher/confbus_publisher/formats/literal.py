"""What a piece of text means as a value: the environment has nothing but text, and so has a `${VARIABLE}`.

Three ways, the surest first: by the types that a schema allows, like a value that is to be replaced, or by its looks.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from confbus.errors import SourceFailed
from confbus.wire.frozen import Frozen, FrozenList, Reference
from confbus_publisher.formats.json import read_json
from confbus_publisher.formats.limits import Unfit, fit_float, read_int

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_WORDS = {"true": True, "false": False, "null": None}
_CANONICAL_INT = re.compile(r"-?(?:0|[1-9][0-9]*)")
_CANONICAL_FLOAT = re.compile(r"-?[0-9]+\.[0-9]+")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SAID = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_TYPES: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    Reference: "string",
    FrozenList: "array",
    Frozen: "object",
}
_ARTICLES = {"integer": "an ", "array": "an ", "object": "an ", "null": ""}
_JSON_ADVICE = "What begins with { or [ must be JSON, unless the schema makes it a string, or it replaces one."


def guess(text: str) -> Any:
    """By its looks: JSON when it begins with `{` or `[`; `true`, `false`, `null` and numbers when they are spelled
    the canonical way (`5432`, `-1`, `0.5`); else a string, so `1.10`, `01234`, `1e5` and `True` stay as they are.

    Raises `Unfit` for what begins like JSON and is none.
    """
    if text.startswith(("{", "[")):
        return _json(text)
    if text in _WORDS:
        return _WORDS[text]
    with contextlib.suppress(Unfit):  # An id of 30 digits stays a string.
        if _CANONICAL_INT.fullmatch(text) and text != "-0":
            return read_int(text)
        if _CANONICAL_FLOAT.fullmatch(text) and repr(float(text)) == text:
            return float(text)
    return text


def fit(text: str, types: Collection[str], *, items: Collection[str] = ()) -> Any:
    """As the first of JSON Schema's `types` that it can be: null, integer, number, boolean (true or false), array
    (JSON, or with commas), object, string; then an array of the one item that it is, and a boolean said otherwise
    (yes, no, on, off, 1, 0).

    The items of a text with commas are of the types `items`, or go by their looks. Raises `Unfit`, which tells the
    wanted types and nothing of the text.
    """
    why = ""
    for name, read in _READERS:
        if name in types:
            try:
                return read(text, items)
            except Unfit as unfit:
                why = unfit.reason or why
    wanted = " or ".join(f"{_ARTICLES.get(name, 'a ')}{name}" for name in sorted(types))
    raise Unfit(f"{wanted} is wanted{', and ' if why else ''}{why}", "Give it such a value.")


def like(text: str, value: Any) -> Any:
    """Of the type of `value`, if it can be: a string stays as it is; else by its looks. Raises `Unfit` as `guess`."""
    if isinstance(value, str):
        return text
    with contextlib.suppress(Unfit):
        fitting = fit(text, {type_of(value)} - {"null"}, items=_types_of_items(value))
        return float(fitting) if type(value) is float else fitting
    return guess(text)


def type_of(value: object) -> str:
    """The name of JSON Schema's type of a frozen value."""
    return next((name for kind, name in _TYPES.items() if type(value) is kind), "null")


def _types_of_items(value: Any) -> set[str]:
    return {type_of(item) for item in value} - {"null"} if isinstance(value, FrozenList) else set()


def _json(text: str) -> Any:
    try:
        return read_json(text, origin_name="at ")
    except SourceFailed as failure:
        where = failure.origin.removeprefix("at :")
        raise Unfit(f"it begins like JSON and breaks at {where}: {failure.reason}", _JSON_ADVICE) from None


def _null(text: str, _items: Collection[str]) -> None:
    if text.strip() != "null":
        raise Unfit("")


def _integer(text: str, _items: Collection[str]) -> int:
    if _INT.fullmatch(text.strip()):
        return read_int(text.strip())
    raise Unfit("")


def _number(text: str, items: Collection[str]) -> int | float:
    if _INT.fullmatch(text.strip()):
        return _integer(text, items)
    if _FLOAT.fullmatch(text.strip()):
        return fit_float(float(text))
    raise Unfit("")


def _boolean(text: str, _items: Collection[str]) -> bool:
    word = text.strip().lower()
    if word in {"true", "false"}:
        return word == "true"
    raise Unfit("")


def _array(text: str, items: Collection[str]) -> Any:
    if text.lstrip().startswith("["):
        return _json(text.lstrip())
    if "," in text:
        return FrozenList(_item(part.strip(), items) for part in text.split(","))
    raise Unfit("")


def _item(text: str, items: Collection[str]) -> Any:
    return fit(text, items) if items else guess(text)


def _object(text: str, _items: Collection[str]) -> Any:
    if text.lstrip().startswith("{"):
        return _json(text.lstrip())
    raise Unfit("")


def _string(text: str, _items: Collection[str]) -> str:
    return text


def _only_item(text: str, items: Collection[str]) -> Any:
    if text.lstrip().startswith("["):
        raise Unfit("")
    return FrozenList([_item(text.strip(), items)] if text.strip() else [])


def _said(text: str, _items: Collection[str]) -> bool:
    if text.strip().lower() in _SAID:
        return _SAID[text.strip().lower()]
    raise Unfit("")


_READERS: tuple[tuple[str, Callable[[str, Collection[str]], Any]], ...] = (
    ("null", _null),
    ("integer", _integer),
    ("number", _number),
    ("boolean", _boolean),
    ("array", _array),
    ("object", _object),
    ("string", _string),
    ("array", _only_item),
    ("boolean", _said),
)
