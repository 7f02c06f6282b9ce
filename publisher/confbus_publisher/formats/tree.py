"""Python values as a frozen tree that a document may hold; nothing is guessed, nothing is made a string."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import TYPE_CHECKING, Any, cast

from confbus.errors import InvalidDocument
from confbus.wire.frozen import Frozen, FrozenList, Reference
from confbus.wire.path import render
from confbus.wire.reference import KEY
from confbus_publisher.formats.limits import (
    DEPTH,
    NODES,
    Unfit,
    fit_float,
    fit_int,
    fit_text,
    too_deep,
    too_large,
)
from confbus_publisher.formats.secret import reference, reference_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from confbus.wire.path import Path


def conform(tree: Mapping[str, Any], *, source: str) -> Frozen:
    """A frozen copy of `tree`; tuples become lists. Raises `InvalidDocument` with the path and `source`.

    Allowed is what JSON knows: mappings with string keys, lists, strings, finite numbers within 64 bits, booleans
    and null; and secret references, also spelled as a mapping of the one key `$secret`. Dates, sets, decimals and
    bytes are refused, since sources would disagree on their spelling.
    """
    conformed = _Conforming(source).mapping(tree, ())
    if KEY in conformed:
        raise InvalidDocument("", "it is a secret reference", origin=source, advice="Give it a key.")
    return conformed


def paths(tree: Frozen, prefix: Path = ()) -> Iterator[Path]:
    """The path of the tree, and of each mapping and leaf in it; a list is a leaf."""
    yield prefix
    for key, value in tree.items():
        if isinstance(value, Frozen):
            yield from paths(value, (*prefix, key))
        else:
            yield (*prefix, key)


class _Conforming:
    """One pass over one tree, counting."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._nodes = 0

    def mapping(self, tree: Mapping[Any, Any], path: Path) -> Frozen:
        self._enter(len(tree), path)
        return Frozen({self._key(key, path): self._value(value, (*path, key)) for key, value in tree.items()})

    def _value(self, value: Any, path: Path) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            mapping = self.mapping(cast("Mapping[object, Any]", value), path)
            return mapping if KEY not in mapping else self._reference(mapping, path)
        if isinstance(value, list | tuple):
            items = cast("Sequence[Any]", value)
            self._enter(len(items), path)
            return FrozenList(self._value(item, (*path, index)) for index, item in enumerate(items))
        try:
            return _leaf(value)
        except Unfit as unfit:
            raise self._refused(path, unfit) from None

    def _reference(self, mapping: Frozen, path: Path) -> Reference | None:
        try:
            return reference_in(mapping)
        except Unfit as unfit:
            raise self._refused(path, unfit) from None

    def _enter(self, nodes: int, path: Path) -> None:
        self._nodes += nodes
        if len(path) >= DEPTH:
            raise self._refused(path[:5], too_deep())
        if self._nodes > NODES:
            raise self._refused(path, too_large(NODES))

    def _key(self, key: object, path: Path) -> str:
        if not isinstance(key, str):
            reason = f"a key is of type {type(key).__name__}, and keys are strings"
            advice = f'Write "{key}".' if isinstance(key, int) else "Use a string."
            raise self._refused(path, Unfit(reason, advice))
        try:
            return fit_text(key)
        except Unfit as unfit:
            raise self._refused(path, unfit) from None

    def _refused(self, path: Path, unfit: Unfit) -> InvalidDocument:
        return InvalidDocument(render(path), unfit.reason, origin=self._source, advice=unfit.advice)


def _leaf(value: object) -> str | int | float | Reference:
    """The plain value, also of an enumeration's member or of another subclass."""
    if isinstance(value, Reference):
        return reference(value.text)
    if isinstance(value, str):
        return fit_text(str.__str__(value))
    if isinstance(value, int):
        return fit_int(int(value))
    if isinstance(value, float):
        return fit_float(float(value))
    if isinstance(value, date | time):
        raise Unfit(f"a {type(value).__name__} is no configuration value", "Quote it: write it as a string.")
    raise Unfit(
        f"a {type(value).__name__} is no configuration value",
        "Use a mapping, list, string, number, boolean or null.",
    )
