"""The document against a JSON Schema.

The schema is read again when its file changed, so an edit of both needs no restart. Nothing is fetched for it, and
`format` is a comment. Patterns are Python's regular expressions, run in this process: one that backtracks without end
holds the publisher up, so write none with a repetition inside a repetition.
"""

from __future__ import annotations

import difflib
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings
from confbus.wire.frozen import Reference, is_list, is_mapping
from confbus.wire.reference import found_in
from confbus_publisher.checks.problem import Problem
from confbus_publisher.checks.schema_file import SchemaFile
from confbus_publisher.checks.schema_message import message, type_name, types_text
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.shape import Shape
from confbus_publisher.sources.content import read_content

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path as FilePath

    from confbus.wire.path import Path
    from confbus_publisher.checks.candidate import Candidate

MOST_REFERENCES = 500_000
"""So many references are followed in one validation: enough for any document, too few to blow up with."""

_FORMS = ("anyOf", "oneOf")


class SchemaCheck:
    """Validates against the schema in `file`. Raises `InvalidSettings` with its line when it is none now.

    One that becomes unusable later is an error of the check: nothing goes out until it is mended. Not for use by
    several threads at once.
    """

    name = "schema"
    needs_head = False

    def __init__(self, file: FilePath) -> None:
        self._file = file
        self._content = self._read()
        self._schema = SchemaFile(file, self._content)
        self._shape = Shape(self._schema.schema)
        self._budget = _Budget()
        self._validator, self._patient = self._new_validators()

    @property
    def watched(self) -> tuple[FilePath, ...]:
        """The directory in which the schema changes."""
        return (self._file.absolute().parent,)

    @property
    def shape(self) -> Shape:
        """What the schema knows of keys and types; what it last knew while it cannot be used."""
        with suppress(InvalidSettings):
            self._refresh()
        return self._shape

    def __call__(self, candidate: Candidate) -> Iterator[Problem]:
        try:
            self._refresh()
        except InvalidSettings as error:
            yield Problem((), error.reason, error.advice, error.origin, self.name)
            return
        self._budget.renew()
        try:
            for failure in self._validators(candidate.tree).iter_errors(candidate.tree):
                for each in _nearest(failure):
                    yield from self._problems(each, candidate)
        except (Unfit, RecursionError):
            advice = "Use fewer references inside references."
            yield Problem((), "the schema is too involved to be checked", advice, self._schema.place(()), self.name)

    def _read(self) -> bytes:
        try:
            content = read_content(self._file)
        except Unfit as unfit:
            why = unfit.reason.removeprefix("it is ")
            raise InvalidSettings(str(self._file), f"the schema is {why}", advice=unfit.advice) from unfit
        if content is None:
            reason = "the schema is unreadable: No such file or directory"
            raise InvalidSettings(str(self._file), reason, advice="Create it, or mend checks.schema.")
        return content

    def _refresh(self) -> None:
        content = self._read()
        if content != self._content:
            self._schema = SchemaFile(self._file, content)
            self._shape = Shape(self._schema.schema)
            self._content = content
            self._validator, self._patient = self._new_validators()

    def _validators(self, tree: Any) -> Any:
        """The one for `tree`: with secret references in it, one that lets them stand for anything."""
        return self._validator if next(found_in(tree), None) is None else self._patient

    def _new_validators(self) -> tuple[Any, Any]:
        import jsonschema.validators
        import referencing

        libraries: tuple[Any, Any] = (jsonschema.validators, referencing)  # Their types are partly unknown.
        validators, registries = libraries
        dialect: Any = self._schema.dialect
        counted = {
            keyword: self._budget.counting(dialect.VALIDATORS[keyword])
            for keyword in ("$ref", "$dynamicRef", "$recursiveRef")
            if keyword in dialect.VALIDATORS
        }
        strict = validators.extend(dialect, counted)
        patient = validators.extend(strict, {word: _patient(check) for word, check in strict.VALIDATORS.items()})
        schema, registry = self._schema.schema, registries.Registry()
        return strict(schema, registry=registry), patient(schema, registry=registry)

    def _problems(self, error: Any, candidate: Candidate) -> Iterator[Problem]:
        path, asked = tuple(error.absolute_path), tuple(error.absolute_schema_path)
        place = self._schema.place_asking(asked)
        source = f"The schema asks for it at {place}."
        if error.validator in {"additionalProperties", "unevaluatedProperties"}:
            yield from self._unknown_keys(error, path, f"The schema allows no others at {place}.", candidate)
            return
        text = message(error)
        if asked[-2:-1] == ("propertyNames",):
            path, text = (*path, error.instance), f"the key itself is wrong: {text}"
        elif error.validator in _FORMS and not error.context:
            text = "it has more than one of the forms of which the schema allows exactly one"
        elif error.validator in _FORMS and (types := _types_of_forms(error)):
            text = f"it is {type_name(error.instance)}, and must be {types_text(types)}"
        yield Problem(path, text, source, candidate.place(path), self.name)

    def _unknown_keys(self, error: Any, path: Path, source: str, candidate: Candidate) -> Iterator[Problem]:
        known, patterns = _known_keys(error.schema)
        unknown: list[str] = [key for key in error.instance if not _is_known(key, known, patterns)]
        for key in unknown:
            close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
            advice = f"Did you mean {close[0]!r}? {source}" if close else source
            yield Problem((*path, key), "the key is not known", advice, candidate.place((*path, key)), self.name)
        if not unknown:
            yield Problem(path, "it has keys that do not go together", source, candidate.place(path), self.name)


class _Budget:
    """How many references may still be followed."""

    def __init__(self) -> None:
        self._left = 0

    def renew(self) -> None:
        self._left = MOST_REFERENCES

    def counting(self, follow: Any) -> Any:
        def counted(validator: Any, reference: Any, instance: Any, schema: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise Unfit("more references than a validation may follow")
            return follow(validator, reference, instance, schema)

        return counted


def _patient(check: Any) -> Any:
    """`check` of what is there; what a secret reference stands for only workers know."""

    def checked(validator: Any, wanted: Any, instance: Any, schema: Any) -> Any:
        return () if isinstance(instance, Reference) else check(validator, wanted, instance, schema)

    return checked


def _nearest(error: Any) -> Iterator[Any]:
    """The error itself, or, of several forms that a value may have, the errors of the one that it nearly has."""
    if error.validator not in _FORMS:
        yield error
        return
    forms: dict[Any, list[Any]] = {}
    for inner in error.context:
        forms.setdefault(inner.relative_schema_path[0], []).append(inner)
    near = [inner for inner in forms.values() if not any(_is_of_other_type(each) for each in inner)]
    if len(near) == 1:
        for inner in near[0]:
            yield from _nearest(inner)
    else:
        yield error


def _is_of_other_type(error: Any) -> bool:
    return error.validator == "type" and not error.relative_path


def _types_of_forms(error: Any) -> list[str]:
    """The types of all forms, when each of them fails because of its type alone."""
    types: list[str] = []
    for inner in error.context:
        if not _is_of_other_type(inner):
            return []
        wanted = inner.validator_value
        types += [wanted] if isinstance(wanted, str) else wanted
    return list(dict.fromkeys(types))


def _known_keys(schema: Any) -> tuple[Collection[str], list[str]]:
    """The keys that a schema names, also in the forms it is made of, and the patterns of keys."""
    known: dict[str, None] = {}
    patterns: list[str] = []
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if is_list(node):
            waiting += node
        elif is_mapping(node):
            known |= dict.fromkeys(node.get("properties", ()))
            patterns += node.get("patternProperties", ())
            waiting += [node[key] for key in ("allOf", "anyOf", "oneOf", "if", "then", "else") if key in node]
    return known, patterns


def _is_known(key: str, known: Collection[str], patterns: list[str]) -> bool:
    return key in known or any(re.search(pattern, key) for pattern in patterns)
