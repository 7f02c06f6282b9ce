"""Frozen values with slots, as `dataclass(frozen=True, slots=True)` makes them, at a tenth of its cost.

A worker's start is mostly imports, and half of them were `dataclasses`: the module itself, and the code that it writes
for each class, used or not. A record writes its `__init__` when the first one is made. To everybody else a record is a
dataclass: `dataclasses.replace`, `fields` and `asdict` take it, and so do type checkers.
"""

from __future__ import annotations

from operator import attrgetter

__all__ = ["field", "record", "replace"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import dataclass as record
    from dataclasses import field, replace
    from typing import Any

_ABSENT = object()
_BY_HAND = 3


class _Field:
    """What a field is beside its name."""

    __slots__ = ("default", "factory", "is_argument", "is_shown")

    def __init__(
        self,
        default: object,
        *,
        factory: Callable[[], object] | None = None,
        is_argument: bool = True,
        is_shown: bool = True,
    ) -> None:
        self.default = default
        self.factory = factory
        self.is_argument = is_argument
        self.is_shown = is_shown


if not TYPE_CHECKING:

    def field(*, default=_ABSENT, default_factory=None, init=True, repr=True):  # noqa: A002 — the words of dataclasses
        """As `dataclasses.field`: a default made anew for each record, a field that is no argument or not shown."""
        return _Field(default, factory=default_factory, is_argument=init, is_shown=repr)

    def record(*, frozen=False, slots):  # noqa: ARG001 — there is no record without
        """As `dataclasses.dataclass`, always with slots."""
        return lambda cls: _made(cls, frozen=frozen)

    def replace(record, /, **changes):
        """A copy with some fields changed."""
        known = {name: getattr(record, name) for name in record.__match_args__}
        return type(record)(**{**known, **changes})


def _made(cls: Any, *, frozen: bool) -> Any:
    types: Mapping[str, Any] = getattr(cls, "__annotations__", {})
    fields = {name: _as_field(cls.__dict__.get(name, _ABSENT)) for name in types}
    body = {name: value for name, value in cls.__dict__.items() if name not in {*types, "__dict__", "__weakref__"}}
    if frozen:
        body.update(__setattr__=_refuse, __delattr__=_refuse)
    body.update(
        __slots__=tuple(types),
        __match_args__=tuple(name for name in types if fields[name].is_argument),
        __dataclass_fields__=_Fields(cls.__name__, types, fields),
        __init__=_first_init,
        __eq__=_equal,
        __hash__=_hash if frozen else None,
        __repr__=body.get("__repr__", _shown),
        __reduce__=_reduce,
        _values=staticmethod(attrgetter(*types) if types else _nothing),
    )
    return type(cls)(cls.__name__, cls.__bases__, body)


def _as_field(value: object) -> _Field:
    return value if isinstance(value, _Field) else _Field(value)


class _Fields:
    """`__dataclass_fields__`, worked out by `dataclasses` for the few that ask."""

    def __init__(self, name: str, types: Mapping[str, Any], fields: Mapping[str, _Field]) -> None:
        self._name = name
        self._types = types
        self.fields = fields
        self.made = 0
        self._described: Any = None

    def __get__(self, _record: object, _owner: object = None) -> Any:
        if self._described is None:
            self._described = self._describe()
        return self._described

    def _describe(self) -> Any:
        import dataclasses

        described: list[tuple[str, Any, Any]] = []
        for name, field in self.fields.items():
            facts: dict[str, Any] = {"init": field.is_argument, "repr": field.is_shown}
            if field.factory is not None:
                facts["default_factory"] = field.factory
            elif field.default is not _ABSENT:
                facts["default"] = field.default
            described.append((name, self._types[name], dataclasses.field(**facts)))
        twin: Any = dataclasses.make_dataclass(self._name, described)
        return twin.__dataclass_fields__


def _first_init(self: Any, *args: Any, **kwargs: Any) -> None:
    """Make the first few by hand; then write the real `__init__` in my place, which takes longer, once."""
    cls: Any = _class_of(self)
    fields: _Fields = cls.__dict__["__dataclass_fields__"]
    fields.made += 1
    if fields.made > _BY_HAND or not _fill(self, fields, args, kwargs):
        cls.__init__ = _written(cls)
        cls.__init__(self, *args, **kwargs)


def _fill(self: Any, fields: _Fields, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Set every field. False for arguments that do not fit: the written `__init__` says so in Python's words."""
    cls: Any = _class_of(self)
    values: dict[str, Any] = dict(zip(cls.__match_args__, args, strict=False))
    if len(args) > len(values) or not values.keys().isdisjoint(kwargs) or not kwargs.keys() <= set(cls.__match_args__):
        return False
    values.update(kwargs)
    for name, field in fields.fields.items():
        if name not in values and field.is_argument and field.factory is None and field.default is _ABSENT:
            return False
        if name in values or field.factory or field.default is not _ABSENT:
            value = values[name] if name in values else field.factory() if field.factory else field.default
            cls.__dict__[name].__set__(self, value)
    if hasattr(cls, "__post_init__"):
        self.__post_init__()
    return True


def _written(cls: Any) -> Any:
    """An `__init__` with one argument for each field, which sets the slots past `__setattr__`."""
    arguments: list[str] = []
    lines: list[str] = []
    known: dict[str, Any] = {"_ABSENT": _ABSENT}
    for name, field in cls.__dict__["__dataclass_fields__"].fields.items():
        known[f"_set_{name}"] = cls.__dict__[name].__set__
        known[f"_default_{name}"] = field.factory or field.default
        made = f"_default_{name}()" if field.factory else f"_default_{name}"
        if not field.is_argument:
            if field.factory or field.default is not _ABSENT:
                lines.append(f"_set_{name}(self, {made})")
            continue
        if field.factory:
            arguments.append(f"{name}=_ABSENT")
            lines.append(f"_set_{name}(self, {made} if {name} is _ABSENT else {name})")
        else:
            arguments.append(name if field.default is _ABSENT else f"{name}=_default_{name}")
            lines.append(f"_set_{name}(self, {name})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    text = f"def __init__({', '.join(['self', *arguments])}):\n " + "\n ".join(lines or ["pass"])
    exec(text, known)  # noqa: S102 — the names are those of the class's fields
    init = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _class_of(record: object) -> Any:
    return type(record)


def _equal(self: Any, other: Any) -> Any:
    return self._values(self) == self._values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash((_class_of(self), self._values(self)))


def _shown(self: Any) -> str:
    fields: Mapping[str, _Field] = type(self).__dict__["__dataclass_fields__"].fields
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, field in fields.items() if field.is_shown)
    return f"{type(self).__qualname__}({shown})"


def _reduce(self: Any) -> Any:
    cls: Any = _class_of(self)
    return (cls, tuple(getattr(self, name) for name in cls.__match_args__))


def _refuse(self: object, name: str, *_value: object) -> None:
    raise AttributeError(f"A {type(self).__name__} cannot be changed: {name!r}.")


def _nothing(_record: object) -> tuple[()]:
    return ()
