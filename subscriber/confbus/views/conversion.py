"""From what an annotation says to how a value becomes that: strict, recursive, and compiled once for each view.

The parts that come out as they went in are the very objects of the snapshot, frozen; so are lists and mappings.
"""

from __future__ import annotations

import collections.abc
import types
import typing
from functools import partial
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings
from confbus.local import is_ctrl_c
from confbus.views.fields import Field, fields_of
from confbus.views.libraries import by_library
from confbus.views.misfit import Misfit, kind_of, misfit_of
from confbus.views.scalars import one_of, scalar
from confbus.wire.frozen import Frozen, FrozenList, is_list, is_mapping

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.views.scalars import Conversion
    from confbus.wire.path import Path

_LISTS: dict[Any, Callable[[list[Any]], Any]] = {
    list: FrozenList,
    collections.abc.Sequence: FrozenList,
    collections.abc.Collection: FrozenList,
    collections.abc.Iterable: FrozenList,
    set: set,
    collections.abc.Set: frozenset,
    frozenset: frozenset,
}
_MAPPINGS = (dict, collections.abc.Mapping)


class Conversions:
    """The conversions of one view. `is_open`: record types ignore keys that they have no field for."""

    def __init__(self, *, is_open: bool = False) -> None:
        self._is_open = is_open
        self._records: dict[Any, Conversion] = {}

    def find(self, hint: Any) -> Conversion | None:
        """How a value becomes a `hint`; None when nothing is known of it. Raises `InvalidSettings` when its parts can
        be no configuration."""
        if hint is Any or hint is object:
            return lambda value, _path: value
        library = by_library(hint)
        if library is not None:
            return called(library)
        return scalar(hint) or self._record(hint) or self._composed(hint)

    def of(self, hint: Any, owner: str) -> Conversion:
        """As `find`; raises `InvalidSettings`, naming `owner`, when nothing is known of it."""
        found = self.find(hint)
        if found is None:
            shown = hint.__qualname__ if isinstance(hint, type) else str(hint)
            raise InvalidSettings(
                owner,
                f"no configuration becomes a {shown} by itself",
                advice="Give it another type, or bind a function that makes the whole.",
            )
        return found

    def _record(self, hint: Any) -> Conversion | None:
        if not isinstance(hint, type) and not typing.is_typeddict(hint):
            return None
        if hint not in self._records:
            fields = fields_of(hint)
            if fields is None:
                return None
            parts: dict[str, tuple[Field, Conversion]] = {}
            self._records[hint] = partial(self._make, hint, parts)  # before its fields, which may be of its own type
            parts.update({each.key: (each, self.of(each.hint, f"{hint.__qualname__}.{each.key}")) for each in fields})
        return self._records[hint]

    def _make(self, kind: Any, parts: dict[str, tuple[Field, Conversion]], value: Any, path: Path) -> Any:
        if not is_mapping(value):
            raise Misfit(path, f"expected a mapping for {kind.__name__}, found {kind_of(value)}")
        made: dict[str, Any] = {}
        for key, part in value.items():
            if key in parts:
                field, convert = parts[key]
                made[field.keyword] = convert(part, (*path, key))
            elif not self._is_open:
                raise Misfit((*path, key), f"{kind.__name__} has no such field{_nearest(key, parts)}")
        for key, (field, _) in parts.items():
            if field.is_required and field.keyword not in made:
                raise Misfit((*path, key), f"{kind.__name__} needs it, and it is not there")
        if typing.is_typeddict(kind):
            return _kept(value, Frozen(made))
        return called(lambda _: kind(**made))(value, path)

    def _composed(self, hint: Any) -> Conversion | None:
        origin, parts = typing.get_origin(hint), typing.get_args(hint)
        if origin in {typing.Union, types.UnionType}:
            return self._union([(part, self.of(part, str(hint))) for part in parts])
        if origin is typing.Literal:
            return one_of((choice, choice) for choice in parts)
        if hasattr(hint, "__supertype__"):  # NewType
            return self.of(hint.__supertype__, str(hint))
        if origin is typing.Annotated:
            return self.of(parts[0], str(hint))
        kind = origin or hint
        if not isinstance(kind, type):
            return None
        if kind in _LISTS:
            return _list(_LISTS[kind], self.of(parts[0] if parts else Any, str(hint)))
        if kind is tuple:
            return self._tuple(parts or (Any, ...), str(hint))
        if kind in _MAPPINGS:
            key, part = parts or (str, Any)
            return _mapping(self.of(key, str(hint)), self.of(part, str(hint)))
        return None

    def _tuple(self, parts: tuple[Any, ...], shown: str) -> Conversion:
        if parts[1:] == (...,):
            return _list(tuple, self.of(parts[0], shown))
        conversions = [self.of(part, shown) for part in parts if part != ()]

        def convert(value: Any, path: Path) -> Any:
            if not is_list(value):
                raise Misfit(path, f"expected a list, found {kind_of(value)}")
            if len(value) != len(conversions):
                raise Misfit(path, f"expected a list of {len(conversions)}, found one of {len(value)}")
            return tuple(
                each(part, (*path, at)) for at, (each, part) in enumerate(zip(conversions, value, strict=True))
            )

        return convert

    def _union(self, choices: list[tuple[Any, Conversion]]) -> Conversion:
        """Whatever is exactly of a choice's type is that; else the first choice that fits."""
        exact = {hint or type(None): convert for hint, convert in choices if isinstance(hint, type) or hint is None}
        others = [convert for hint, convert in choices if hint not in {None, type(None)}]

        def convert(value: Any, path: Path) -> Any:
            if type(value) in exact:
                return exact[type(value)](value, path)
            misfits: list[Misfit] = []
            for choice in others:
                try:
                    return choice(value, path)
                except Misfit as misfit:
                    misfits.append(misfit)
            if len(misfits) == 1:
                raise misfits[0]
            raise Misfit(path, f"nothing it may be fits ({'; '.join(each.reason for each in misfits)})")

        return convert


def called(make: Callable[[Any], Any]) -> Conversion:
    """What `make` makes of a value; whatever it raises is a misfit at the value's path."""

    def convert(value: Any, path: Path) -> Any:
        try:
            return make(value)
        except BaseException as error:  # others' code; whatever it raises is its objection
            if is_ctrl_c(error):
                raise
            misfit = misfit_of(error, value, path)
        raise misfit  # not from within: a chained error would carry what it was shown into logs

    return convert


def _list(collect: Callable[[list[Any]], Any], convert_part: Conversion) -> Conversion:
    def convert(value: Any, path: Path) -> Any:
        if not is_list(value):
            raise Misfit(path, f"expected a list, found {kind_of(value)}")
        parts = [convert_part(part, (*path, at)) for at, part in enumerate(value)]
        return _kept(value, collect(parts))

    return convert


def _mapping(convert_key: Conversion, convert_part: Conversion) -> Conversion:
    def convert(value: Any, path: Path) -> Any:
        if not is_mapping(value):
            raise Misfit(path, f"expected a mapping, found {kind_of(value)}")
        made = {convert_key(key, (*path, key)): convert_part(part, (*path, key)) for key, part in value.items()}
        return _kept(value, Frozen(made))

    return convert


def _kept(value: Any, made: Any) -> Any:
    """The value itself, when nothing was converted in it."""
    if type(made) is not type(value) or len(made) != len(value):
        return made
    if is_mapping(made):
        return value if all(made.get(key) is part for key, part in value.items()) else made
    return value if all(map(_is, made, value)) else made


def _is(one: object, other: object) -> bool:
    return one is other


def _nearest(key: str, known: dict[str, Any]) -> str:
    import difflib

    close = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
