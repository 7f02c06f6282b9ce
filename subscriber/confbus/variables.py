"""Environment variables as an overlay: their names are placed, and their texts typed, by what the release has.

The rules are those of the publisher's `env:`, for whom nothing but the document is known. `__` separates levels; in a
name without it, each `_` may separate levels or belong to a key, and the one reading that the document has counts.
Case does not matter, unless two keys differ in nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings
from confbus.overlay import Overlay, Setting
from confbus.wire import codec
from confbus.wire import path as paths
from confbus.wire.frozen import Reference, freeze, is_list, is_mapping

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_MOST_SHOWN = 4
_INT = re.compile(r"[-+]?[0-9]{1,20}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_CANONICAL = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]{0,17})|-?(?:0|[1-9][0-9]*)\.[0-9]+")
_SAID = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def env(prefix: str, *, ignored: Collection[str] = (), environ: Mapping[str, str] | None = None) -> Overlay:
    """An overlay of the variables that begin with `prefix` now, without those in `ignored`: `APP_DATABASE__HOST`, or
    `APP_DATABASE_HOST` where that reads in one way, sets `database.host`.

    A variable sets what the release has, and its text becomes a value of the same type. One that cannot be placed or
    typed makes `connect` raise `ConfigRefused`, naming it and the nearest path.
    Raises `InvalidSettings` for an empty prefix.
    """
    if not prefix:
        raise InvalidSettings("env()", "an empty prefix would take the whole environment", advice="Write env('APP_').")
    found = os.environ if environ is None else environ
    texts = {name: found[name] for name in sorted(found) if name.startswith(prefix) and name not in {prefix, *ignored}}
    return Overlay(Variables(prefix, texts))


class Variables:
    """Texts by the names of variables. A place that was found once is kept: whatever a later release adds or takes
    away, a variable sets the same, and keeps to the type that was last there."""

    def __init__(self, prefix: str, texts: Mapping[str, str]) -> None:
        self._prefix = prefix
        self._texts = texts
        self._known: dict[str, tuple[paths.Path, Any]] = {}

    def settings(self, document: Mapping[str, Any]) -> list[Setting]:
        """What the variables set in `document`. Raises `InvalidSettings` when two of them set one place."""
        settings: list[Setting] = []
        taken: dict[paths.Path, str] = {}
        for name, text in self._texts.items():
            path, below = self._place(name, document)
            if path in taken:
                raise InvalidSettings(
                    f"${name}", f"it sets {paths.render(path)}, and so does ${taken[path]}", advice="Unset one."
                )
            taken[path] = name
            value = _typed(name, text, path, below)
            leaves = paths.leaves(value, path) if is_mapping(value) else [(path, value)]
            settings += [Setting(place, leaf, f"${name}") for place, leaf in leaves]
        return settings

    def __repr__(self) -> str:
        return f"env({self._prefix!r})"

    def _place(self, name: str, document: Mapping[str, Any]) -> tuple[paths.Path, Any]:
        """The path that the variable means, and the value there, which tells the type."""
        if name in self._known:
            path, below = self._known[name]
            with contextlib.suppress(KeyError):
                below = paths.lookup(document, path)
            self._known[name] = path, below
            return path, below
        parts, is_marked = self._parts(name)
        found = sorted(_readings(document, parts, is_marked=is_marked), key=str)
        exact = tuple(parts)
        if len(found) > 1 and exact in found:
            found = [exact]
        if not found:
            raise self._unplaced(name, tuple(part.lower() for part in parts), document)
        if len(found) > 1:
            shown = " or as ".join(paths.render(path) for path in found[:_MOST_SHOWN])
            raise InvalidSettings(f"${name}", f"it can be read as {shown}", advice="Write __ between levels.")
        self._known[name] = found[0], paths.lookup(document, found[0])
        return self._known[name]

    def _parts(self, name: str) -> tuple[list[str], bool]:
        rest = name.removeprefix(self._prefix)
        leads = rest.startswith("_") and self._prefix.endswith("_")  # APP__LOG_LEVEL is log_level
        is_marked = leads or "__" in rest
        return (rest[1:] if leads else rest).split("__" if is_marked else "_"), is_marked

    def _unplaced(self, name: str, path: paths.Path, document: Mapping[str, Any]) -> InvalidSettings:
        nearest = paths.nearest(document, path)
        hint = f"The nearest path is {nearest}. " if nearest else ""
        return InvalidSettings(
            f"${name}",
            f"the release has nothing at {paths.render(path)}",
            advice=f"{hint}Rename it, or name it in env({self._prefix!r}, ignored=[…]).",
        )


def _readings(document: Any, parts: list[str], *, is_marked: bool) -> Iterator[paths.Path]:
    """Every path of the document that the parts of a name can mean."""
    if not is_mapping(document):
        return
    for end in range(1, 2 if is_marked else len(parts) + 1):
        wanted = "_".join(parts[:end]).lower()
        for key, value in document.items():
            if key.lower() == wanted:
                if end == len(parts):
                    yield (key,)
                else:
                    yield from ((key, *rest) for rest in _readings(value, parts[end:], is_marked=is_marked))


def _typed(name: str, text: str, path: paths.Path, below: Any) -> Any:
    """`text` as a value like `below`. Raises `InvalidSettings`, which tells the wanted type and nothing of the text."""
    try:
        value = _like(text, below)
        codec.encode(value, at=path)
    except (ValueError, RecursionError):
        wanted = _KINDS[type(below)] if type(below) in _KINDS else "a list" if is_list(below) else "a mapping as JSON"
        reason = f"it sets {paths.render(path)}, where {wanted} is wanted"
        failed = InvalidSettings(f"${name}", reason, advice="Give it such a value.")
    else:
        return freeze(value)
    raise failed


_KINDS: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", type(None): "JSON"}


def _like(text: str, below: Any) -> Any:
    """Raises `ValueError` for what is not like `below`."""
    match below:
        case str() | Reference():
            return text
        case bool():
            return _flag(text.strip().lower())
        case int() | float():
            return _number(text.strip(), below)
        case None:
            return _by_looks(text)
        case _:
            return _container(text.strip(), below)


def _container(text: str, below: Any) -> Any:
    """JSON, or for a list its items with commas between."""
    if is_list(below) and not text.startswith(("{", "[")):
        parts = text.split(",") if text else []
        return [_like(part.strip(), below[0]) if below else _by_looks(part.strip()) for part in parts]
    value = _by_looks(text)
    if is_list(below) != is_list(value) or is_mapping(below) != is_mapping(value):
        raise ValueError
    return value


def _flag(word: str) -> bool:
    if word not in _SAID:
        raise ValueError
    return _SAID[word]


def _number(text: str, below: float) -> int | float:
    if _INT.fullmatch(text):
        return float(text) if type(below) is float else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    raise ValueError


def _by_looks(text: str) -> Any:
    """JSON when it begins like it, or is a word or a number spelled the canonical way; else the text itself."""
    if text.startswith(("{", "[")) or _CANONICAL.fullmatch(text):
        return json.loads(text)
    return text
