"""A JSON Schema file, refused with its line for all that would make a validation fail, fetch or never end."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings, SourceFailed
from confbus.wire.frozen import is_list, is_mapping
from confbus_publisher.checks.schema_message import message
from confbus_publisher.formats.json import load_json
from confbus_publisher.formats.limits import FILE_BYTES
from confbus_publisher.formats.text import decode
from confbus_publisher.formats.yaml import load_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path as FilePath

    from confbus.wire.frozen import Frozen
    from confbus.wire.path import Path
    from confbus_publisher.origin import Origin

_DATA = frozenset({"const", "enum", "default", "examples"})
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_LISTS_IN_PLACE = ("allOf", "anyOf", "oneOf")
_IN_PLACE = ("not", "if", "then", "else")


class SchemaFile:
    """The schema that `content` of `file` holds, YAML or JSON by its suffix.

    Raises `InvalidSettings` with file:line for what is no valid schema of its dialect (Draft 2020-12 when it names
    none), for patterns that are no regular expressions, and for references that lead out of the file, nowhere, or
    back to themselves without going into the document.
    """

    def __init__(self, file: FilePath, content: bytes) -> None:
        self._file = file
        self.schema, self._origins = self._read(content)
        self.dialect = self._dialect()
        self._check_meaning()
        nodes = list(self._nodes())
        self._check_patterns(nodes)
        self._check_references(nodes)

    def place(self, path: Path) -> str:
        """file:line:column of what is at `path` in the schema, or of the nearest thing around it that has a line."""
        while path not in self._origins:
            path = path[:-1]
        return str(self._origins[path])

    def place_asking(self, path: Path) -> str:
        """As `place`, for the path of a validation, which goes through references: there each is followed."""
        here: list[str | int] = []
        for part in path:
            while is_mapping(node := self._at(here)) and part not in node and isinstance(node.get("$ref"), str):
                followed = _pointed(node["$ref"])
                if followed is None:
                    return self.place(tuple(here))
                here = list(followed)
            here.append(part)
        return self.place(tuple(here))

    def _read(self, content: bytes) -> tuple[Frozen, Mapping[Path, Origin]]:
        name = str(self._file)
        if len(content) > FILE_BYTES:
            raise InvalidSettings(name, f"larger than {FILE_BYTES // 1024**2} MiB", advice="Split it.")
        try:
            text = decode(content, origin_name=name)
            if self._file.suffix.lower() == ".json":
                return load_json(text, origin_name=name)
            return load_yaml(text, origin_name=name, within_lists=True)
        except SourceFailed as failure:
            raise InvalidSettings(failure.origin, failure.reason, advice=failure.advice) from None

    def _dialect(self) -> Any:
        from jsonschema import Draft202012Validator, validators

        named = self.schema.get("$schema")
        if named is None:
            return Draft202012Validator
        nothing: Any = None
        known = validators.validator_for({"$schema": named}, default=nothing) if isinstance(named, str) else None
        if known is None:
            advice = "Use https://json-schema.org/draft/2020-12/schema, or leave $schema out."
            raise self._refused(("$schema",), "$schema names a dialect that is not known", advice)
        return known

    def _check_meaning(self) -> None:
        from jsonschema import FormatChecker
        from jsonschema.exceptions import SchemaError

        try:
            self.dialect.check_schema(self.schema, format_checker=FormatChecker(formats=()))
        except SchemaError as error:
            path = tuple(error.absolute_path)
            raise self._refused(path, f"this is no valid schema: {message(error)}", "Mend the schema.") from None

    def _nodes(self) -> Iterator[tuple[Path, dict[str, Any], Any]]:
        """Every mapping of the schema that may be a schema itself, with what resolves the references in it."""
        import referencing
        from referencing.jsonschema import DRAFT202012

        library: Any = referencing  # Its types are partly unknown.

        def resource(contents: Any) -> Any:
            return library.Resource.from_contents(contents, default_specification=DRAFT202012)

        root = library.Registry().resolver_with_root(resource(self.schema))
        waiting: list[tuple[Path, Any, Any]] = [((), self.schema, root)]
        while waiting:
            path, node, resolver = waiting.pop()
            if is_mapping(node):
                if path and isinstance(node.get("$id"), str):
                    resolver = resolver.in_subresource(resource(node))  # as references below see it
                yield path, node, resolver
                waiting += [((*path, key), part, resolver) for key, part in node.items() if key not in _DATA]
            elif is_list(node):
                waiting += [((*path, at), part, resolver) for at, part in enumerate(node)]

    def _check_patterns(self, nodes: list[tuple[Path, dict[str, Any], Any]]) -> None:
        for path, node, _ in nodes:
            patterns: list[tuple[Path, Any]] = [((*path, "pattern"), node.get("pattern"))]
            inner = node.get("patternProperties")
            if is_mapping(inner):
                patterns += [((*path, "patternProperties", key), key) for key in inner]
            for place, pattern in patterns:
                if isinstance(pattern, str):
                    self._compile(place, pattern)

    def _compile(self, path: Path, pattern: str) -> None:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError):
            raise self._refused(path, "the pattern is no regular expression", "Write it as Python does.") from None

    def _check_references(self, nodes: list[tuple[Path, dict[str, Any], Any]]) -> None:
        """Refuse what leads out or nowhere, and circles that validate the same value for ever."""
        paths = {id(node): path for path, node, _ in nodes}
        leads: dict[int, set[int]] = {}
        for path, node, resolver in nodes:
            targets = [self._target(path, node, key, resolver) for key in _REFERENCES]
            targets += [part for key in _LISTS_IN_PLACE if is_list(parts := node.get(key)) for part in parts]
            targets += [node[key] for key in _IN_PLACE if key in node]
            dependent = node.get("dependentSchemas")
            targets += dependent.values() if is_mapping(dependent) else ()
            leads.setdefault(id(node), set()).update(id(target) for target in targets if is_mapping(target))
        try:
            TopologicalSorter(leads).prepare()
        except CycleError as circle:
            path = min((paths[at] for at in circle.args[1] if at in paths), key=len, default=())
            reason = "the schema leads back to itself without going into the document"
            raise self._refused(path, reason, "Remove one of the references of the circle.") from None

    def _target(self, path: Path, node: dict[str, Any], key: str, resolver: Any) -> Any:
        from referencing.exceptions import Unresolvable

        reference = node.get(key)
        if not isinstance(reference, str):
            return None
        try:
            return resolver.lookup(reference).contents
        except Unresolvable:
            if reference.startswith("#"):
                reason, advice = "the reference leads nowhere", "Nothing of that name is in this file."
            else:
                reason = "the reference leads out of this file, and nothing is fetched or read for a schema"
                advice = "Copy what it names under $defs, and write #/$defs/NAME."
            raise self._refused((*path, key), reason, advice) from None

    def _at(self, path: Sequence[str | int]) -> Any:
        node: Any = self.schema
        for part in path:
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                return None
        return node

    def _refused(self, path: Path, reason: str, advice: str) -> InvalidSettings:
        return InvalidSettings(self.place(path), reason, advice=advice)


def _pointed(reference: str) -> Path | None:
    """The path that a reference by JSON Pointer names, or None for one by name."""
    from urllib.parse import unquote

    if reference == "#":
        return ()
    if not reference.startswith("#/"):
        return None
    parts = [unquote(part).replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/")]
    return tuple(parts)
