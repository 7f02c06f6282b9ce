"""Which keys and types a JSON Schema knows at a path: enough to read a variable's name and text by it.

Whether a document fits the schema is for the checks. Here alternatives are joined: what any of `allOf`, `anyOf`,
`oneOf`, `then` and `else` knows is known.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from confbus.wire.frozen import is_list, is_mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from confbus.wire.path import Path

_Schema = dict[str, Any]
_Schemas = tuple[_Schema, ...]

_ALTERNATIVES = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("then", "else")
_REFERENCES = ("$ref", "$dynamicRef")
_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
_REMEMBERED = 10_000


class Shape:
    """The shape that `schema` describes.

    Local references are followed and may run in circles; one that leads nowhere, or to another document, knows
    nothing. Immutable as long as `schema` is left alone; safe for several threads.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema: _Schema = dict(schema)
        self._anchors: dict[str, _Schema] | None = None
        self._at = lru_cache(maxsize=_REMEMBERED)(self._found)

    def __repr__(self) -> str:
        return f"Shape(keys={sorted(self.keys(()))})"

    def has(self, path: Path) -> bool:
        """True when the schema says something about what stands at `path`, by name, by pattern or for any name.

        A schema that only allows, `true` or `{}`, knows nothing.
        """
        return bool(self._at(path))

    def keys(self, path: Path) -> frozenset[str]:
        """The names of the properties of the mapping at `path`."""
        return frozenset(key for schema in self._at(path) for key in _inner(schema, "properties"))

    def types(self, path: Path) -> frozenset[str]:
        """The names of JSON Schema's types that may stand at `path`; none when it does not say."""
        return frozenset(name for schema in self._at(path) for name in _types(schema))

    def has_free_keys(self, path: Path) -> bool:
        """True when the mapping at `path` has something to say about keys that it does not name."""
        free = ("patternProperties", "additionalProperties", "unevaluatedProperties")
        return any(is_mapping(schema.get(key)) and schema[key] for schema in self._at(path) for key in free)

    def _found(self, path: Path) -> _Schemas:
        if not path:
            return self._joined([self._schema])
        return self._joined(below for schema in self._at(path[:-1]) for below in _below(schema, path[-1]))

    def _joined(self, schemas: Iterable[object]) -> _Schemas:
        """The schemas and all that they refer to or are joined from, each once."""
        waiting, found = list(schemas), dict[int, _Schema]()
        while waiting:
            schema = waiting.pop()
            if not is_mapping(schema) or not schema or id(schema) in found:
                continue
            found[id(schema)] = schema
            waiting += [self._target(schema[key]) for key in _REFERENCES if key in schema]
            waiting += [each for key in _ALTERNATIVES if is_list(schema.get(key)) for each in schema[key]]
            waiting += [schema[key] for key in _BRANCHES if key in schema]
        return tuple(found.values())

    def _target(self, reference: object) -> object:
        """What a local reference names: a JSON Pointer behind #, or an anchor."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        pointer = unquote(reference[1:])
        if pointer and not pointer.startswith("/"):
            return self._anchor(pointer)
        target: object = self._schema
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if is_mapping(target):
                target = target.get(key)
            elif is_list(target) and key.isdecimal() and int(key) < len(target):
                target = target[int(key)]
            else:
                return None
        return target

    def _anchor(self, name: str) -> _Schema | None:
        if self._anchors is None:
            self._anchors = {}
            for schema in _mappings(self._schema):
                for key in ("$anchor", "$dynamicAnchor"):
                    if isinstance(schema.get(key), str):
                        self._anchors.setdefault(schema[key], schema)
        return self._anchors.get(name)


def _below(schema: _Schema, part: str | int) -> Iterator[object]:
    """What `schema` says about one key or one item."""
    if isinstance(part, int):
        yield from _items(schema, part)
        return
    named = _inner(schema, "properties")
    matching = [each for pattern, each in _inner(schema, "patternProperties").items() if _matches(pattern, part)]
    if part in named:
        yield named[part]
    yield from matching
    if part not in named and not matching:
        yield schema.get("additionalProperties")
        yield schema.get("unevaluatedProperties")


def _items(schema: _Schema, index: int) -> Iterator[object]:
    """What `schema` says about one item, in the words of this draft or of an older one."""
    places = [schema[key] for key in ("prefixItems", "items") if is_list(schema.get(key))]
    listed: list[object] = places[0] if places else []
    if index < len(listed):
        yield listed[index]
    else:
        yield schema.get("additionalItems" if is_list(schema.get("items")) else "items")


def _types(schema: _Schema) -> Iterator[str]:
    stated = schema.get("type")
    if isinstance(stated, str):
        yield stated
    elif is_list(stated):
        yield from (name for name in stated if isinstance(name, str))
    elif "const" in schema or is_list(schema.get("enum")):
        values: list[object] = [schema["const"]] if "const" in schema else schema["enum"]
        yield from (next((name for kind, name in _TYPES.items() if isinstance(each, kind)), "null") for each in values)


def _inner(schema: _Schema, key: str) -> _Schema:
    value = schema.get(key)
    return value if is_mapping(value) else {}


def _mappings(schema: object) -> Iterator[_Schema]:
    """Every mapping in `schema`; without recursion, as a schema may be deep."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if is_mapping(value):
            yield value
            waiting += value.values()
        elif is_list(value):
            waiting += value


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:  # The check of the schema says so.
        return None


def _matches(pattern: str, key: str) -> bool:
    compiled = _pattern(pattern)
    return compiled is not None and compiled.search(key) is not None
