"""What a failed keyword of JSON Schema means, in words of our own: those of the library hold the value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from confbus.wire.frozen import Reference, is_list

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 160
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "a string",
}


def message(error: Any) -> str:
    """Why the instance of a jsonschema `ValidationError` fails. Holds words of the schema, never the instance."""
    tell = _MESSAGES.get(error.validator or "")
    if tell is None:
        keyword = f" ({error.validator})" if error.validator else ""
        return f"the schema does not allow this{keyword}"
    return tell(error.validator_value, error.instance)


def type_name(value: Any) -> str:
    """What a value is, for people."""
    if value is None:
        return "null"
    if isinstance(value, Reference):
        return "a secret reference"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a number"
    return "a string" if isinstance(value, str) else "a list" if is_list(value) else "a mapping"


def types_text(types: Any) -> str:
    """`a string, a list or null`."""
    names = [_TYPES.get(str(name), str(name)) for name in ([types] if isinstance(types, str) else types)]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "nothing"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def _type(wanted: Any, value: Any) -> str:
    return f"it is {type_name(value)}, and must be {types_text(wanted)}"


def _required(wanted: Any, value: Any) -> str:
    missing = [key for key in wanted if key not in value] if is_list(wanted) else ["a key"]
    return f"{', '.join(map(repr, missing))} is missing"


def _dependent(wanted: Any, value: Any) -> str:
    for key, needed in wanted.items():
        if key in value and is_list(needed):
            missing = [repr(other) for other in needed if other not in value]
            if missing:
                return f"{', '.join(missing)} is missing, which {key!r} needs"
    return "something is missing that another key needs"


def _says(text: str) -> Callable[[Any, Any], str]:
    return lambda wanted, _: text.format(_shown(wanted))


_MESSAGES: dict[str, Callable[[Any, Any], str]] = {
    "type": _type,
    "required": _required,
    "dependentRequired": _dependent,
    "enum": _says("it must be one of {}"),
    "const": _says("it must be {}"),
    "minimum": _says("it must be at least {}"),
    "maximum": _says("it must be at most {}"),
    "exclusiveMinimum": _says("it must be more than {}"),
    "exclusiveMaximum": _says("it must be less than {}"),
    "multipleOf": _says("it must be a multiple of {}"),
    "minLength": _says("it must have at least {} characters"),
    "maxLength": _says("it must have at most {} characters"),
    "pattern": _says("it must match the pattern {}"),
    "minItems": _says("it must have at least {} items"),
    "maxItems": _says("it must have at most {} items"),
    "uniqueItems": _says("two of its items are the same"),
    "contains": _says("none of its items is what the schema asks for"),
    "minContains": _says("at least {} of its items must be what the schema asks for"),
    "maxContains": _says("at most {} of its items may be what the schema asks for"),
    "minProperties": _says("it must have at least {} keys"),
    "maxProperties": _says("it may have at most {} keys"),
    "additionalItems": _says("it has more items than the schema allows"),
    "unevaluatedItems": _says("it has more items than the schema allows"),
    "not": _says("it is just what the schema forbids"),
    "anyOf": _says("it has none of the forms that the schema allows"),
    "oneOf": _says("it must have exactly one of the forms that the schema allows"),
}
