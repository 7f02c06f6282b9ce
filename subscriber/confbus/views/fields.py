"""The fields of record types: dataclasses, attrs classes, named tuples and TypedDicts, seen as one."""

from __future__ import annotations

import typing
from typing import Any, NamedTuple

from confbus.errors import InvalidSettings


class Field(NamedTuple):
    """One field: its key in the configuration, the keyword it is passed by, what it should be."""

    key: str
    keyword: str
    hint: Any
    is_required: bool


def fields_of(kind: Any) -> list[Field] | None:
    """The fields that a record type is made from; None for what is no such type. Raises `InvalidSettings` when one of
    its annotations names what cannot be found."""
    if typing.is_typeddict(kind):
        return _of_typed_dict(kind)
    if not isinstance(kind, type):
        return None
    record: Any = kind
    if hasattr(record, "__attrs_attrs__"):
        return _of_attrs(record)
    if hasattr(record, "__dataclass_fields__"):
        return _of_dataclass(record)
    if hasattr(record, "_field_defaults"):
        return _of_named_tuple(record)
    return None


def _of_dataclass(kind: Any) -> list[Field]:
    import dataclasses  # it is there already; who binds something else does not pay for it

    hints = _hints(kind)
    return [
        Field(
            field.name,
            field.name,
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(kind)
        if field.init
    ] + [
        Field(name, name, hint.type, not hasattr(kind, name))
        for name, hint in hints.items()
        if isinstance(hint, dataclasses.InitVar)
    ]


def _of_attrs(kind: Any) -> list[Field]:
    from attr import NOTHING  # it is there: somebody made a class with it

    hints = _hints(kind)
    return [
        # A converter takes whatever it likes; what its result is annotated as says nothing about that.
        Field(each.alias, each.alias, Any if each.converter else hints.get(each.name, Any), each.default is NOTHING)
        for each in kind.__attrs_attrs__
        if each.init
    ]


def _of_named_tuple(kind: Any) -> list[Field]:
    hints = _hints(kind)
    return [Field(name, name, hints.get(name, Any), name not in kind._field_defaults) for name in kind._fields]


def _of_typed_dict(kind: Any) -> list[Field]:
    written = _hints(kind, has_extras=True)
    return [Field(name, name, hint, _is_required(kind, name, written[name])) for name, hint in _hints(kind).items()]


def _is_required(kind: Any, name: str, written: Any) -> bool:
    # Where annotations are texts, `__required_keys__` knows of `total` alone.
    origin = typing.get_origin(written)
    if origin in {typing.Required, typing.NotRequired}:
        return origin is typing.Required
    return name in kind.__required_keys__


def _hints(kind: Any, *, has_extras: bool = False) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, localns={kind.__name__: kind}, include_extras=has_extras)
    except NameError as error:
        raise InvalidSettings(
            kind.__qualname__,
            f"its annotations name {error.name!r}, which is not to be found in {kind.__module__}",
            advice="Import it for good, and define the type at the top of its module.",
        ) from error
