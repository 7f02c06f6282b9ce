"""One tree out of many layers: the higher priority wins, mappings are merged key by key, and every value keeps its
history: which layers gave it, which of them won, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from confbus.errors import MergeConflict
from confbus.wire.frozen import Frozen, FrozenList, freeze
from confbus.wire.path import leaves, lookup, render
from confbus_publisher.layer import same_objects
from confbus_publisher.merge_rules import DEFAULT, Rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confbus.wire.path import Path
    from confbus_publisher.layer import Layer
    from confbus_publisher.origin import Origin

_Part = tuple["Layer", Any]
_REMEMBERED = (1, 2)
"""The depths at which a document is cut into sections: what is the same object there is not encoded again."""
_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    FrozenList: "a list",
}


@dataclass(frozen=True, slots=True)
class Replacement:
    """A value that a higher layer replaced by one of another type: allowed, and worth a look."""

    path: Path
    lower: Origin
    upper: Origin
    was: str
    becomes: str

    def __str__(self) -> str:
        return f"{self.upper}: {render(self.path)} becomes {self.becomes}; at {self.lower} it is {self.was}"


@dataclass(frozen=True)
class Merged:
    """The merged tree. `layers` are in the order of their rank, the lowest first; `joined` says which
    source lengthened which list of those below it."""

    tree: Frozen
    layers: tuple[Layer, ...] = field(repr=False)
    replacements: tuple[Replacement, ...] = ()
    joined: frozenset[tuple[str, Path]] = frozenset()

    def winner(self, path: Path) -> Layer:
        """The uppermost layer that gave something at `path`, or at the nearest path above it. Of what nobody gave it is
        the uppermost source that says anything."""
        for end in range(len(path), 0, -1):
            for layer in reversed(self.layers):
                if path[:end] in layer.origins:
                    return layer
        sources = [layer for layer in self.layers if layer.tree and not layer.is_override]
        return (sources or self.layers)[-1]

    def origin(self, path: Path) -> Origin:
        """Where the value at `path` was written; for what stands in a list, where the list was."""
        return self.winner(path).place(path)

    def interpolates(self, path: Path) -> bool:
        """True when `${…}` in the value at `path` may be expanded: every layer that has a part in it allows that."""
        for end in range(len(path), 0, -1):
            if any(joined == path[:end] for _, joined in self.joined):
                return all(layer.interpolates for layer in self.layers if path[:end] in layer.origins)
        return self.winner(path).interpolates

    @cached_property
    def origins(self) -> Mapping[Path, Origin]:
        """The origin of every leaf."""
        return {path: self.origin(path) for path, _ in leaves(self.tree)}

    def __repr__(self) -> str:
        return f"Merged(keys={len(self.tree)}, layers={len(self.layers)})"


class _Known(NamedTuple):
    parts: tuple[Any, ...]
    merged: Frozen
    notes: tuple[Replacement | tuple[str, Path], ...]


class Merger:
    """Merges by one set of rules, and remembers what it merged: where the parts are the same objects as before, so is
    the result. `merge` is a merge without memory."""

    def __init__(self, rules: Rules = DEFAULT) -> None:
        self._rules = rules
        self._known: dict[Path, _Known] = {}
        self._notes: list[Replacement | tuple[str, Path]] = []

    def merge(self, layers: Sequence[Layer]) -> Merged:
        """`layers` by rising priority, the later of two equals on top.

        What only one layer gives is the very same object in the result; scalars and lists replace what is below,
        unless a rule joins the lists; null over a scalar or a list is a value. An override changes the keys that it
        names and leaves the others, and its lists replace, whatever the rules say. Raises `MergeConflict`, naming both
        places, where one layer has a mapping and another has none, unless a rule lets it be replaced.
        """
        ranked = ranking(layers)
        self._notes = []
        tree = freeze(self._mapping([(layer, layer.tree) for layer in ranked], ())) if ranked else Frozen()
        self._known = {path: known for path, known in self._known.items() if path[0] in tree}
        replacements = [note for note in self._notes if isinstance(note, Replacement)]
        joined = [note for note in self._notes if not isinstance(note, Replacement)]
        return Merged(tree, ranked, tuple(replacements), frozenset(joined))

    def _mapping(self, parts: list[_Part], path: Path) -> Any:
        """The merge of mappings that several layers have at `path`, lowest first."""
        given = [part for part in parts if part[1] or _deletes_below(part[0], path)]
        if len(given) < 2:
            return (given or parts)[-1][1]
        values = tuple(value for _, value in given)
        known = self._known.get(path)
        if known and same_objects(known.parts, values):
            self._notes += known.notes
            return known.merged
        begun = len(self._notes)
        merged = Frozen({key: self._value(parts, (*path, key)) for key, parts in _by_key(given, path).items()})
        if len(path) in _REMEMBERED:
            self._known[path] = _Known(values, merged, tuple(self._notes[begun:]))
        return merged

    def _value(self, parts: list[_Part], path: Path) -> Any:
        is_replaced = self._rules.replaces(path)
        if is_replaced:
            parts = _uppermost(parts)
        if len(parts) == 1:
            return parts[0][1]
        mappings = sum(isinstance(value, dict) for _, value in parts)
        if mappings == len(parts):
            return self._mapping(parts, path)
        if is_replaced:
            return parts[-1][1]
        if mappings:
            raise _conflict(parts, path)
        return self._leaf(parts, path)

    def _leaf(self, parts: list[_Part], path: Path) -> Any:
        value = parts[0][1]
        join = None if parts[-1][0].is_override else self._rules.joining(path)
        for (lower, below), (upper, above) in pairwise(parts):
            if join and isinstance(value, FrozenList) and isinstance(above, FrozenList):
                value = join(value, above)
                self._notes.append((upper.source, path))
                continue
            was, becomes = _kind(below), _kind(above)
            is_known = not _is_reference(lower, below) and not _is_reference(upper, above)
            if was and becomes and was != becomes and is_known:
                places = lower.place(path), upper.place(path)
                self._notes.append(Replacement(path, *places, was, becomes))
            value = above
        return value


def merge(layers: Sequence[Layer], rules: Rules = DEFAULT) -> Merged:
    """The merge of `layers`, as `Merger.merge` makes it."""
    return Merger(rules).merge(layers)


def ranking(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The lowest priority first; of equals, the earlier first."""
    return tuple(sorted(layers, key=lambda layer: layer.priority))


def conflicts(layers: Sequence[Layer], rules: Rules = DEFAULT) -> list[MergeConflict]:
    """Everything for which `merge` would raise: one conflict for each path where mappings meet what is none."""
    given: dict[Path, list[_Part]] = {}
    for layer in ranking(layers):
        for deleted in layer.deletes:
            given = {path: parts for path, parts in given.items() if path[: len(deleted)] != deleted}
        for path in layer.origins:
            if all(isinstance(part, str) for part in path):  # Of what is in a list nothing is merged.
                given.setdefault(path, []).append((layer, lookup(layer.tree, path)))
    return [
        _conflict(parts, path)
        for path, parts in given.items()
        if 0 < sum(isinstance(value, dict) for _, value in parts) < len(parts) and not rules.replaces(path)
    ]


def _uppermost(parts: list[_Part]) -> list[_Part]:
    """The part of the uppermost source, which gives all there is; and those of overrides, which lie on it."""
    sources = sum(not layer.is_override for layer, _ in parts)
    return parts[max(0, sources - 1) :]


def _by_key(parts: list[_Part], path: Path) -> dict[str, list[_Part]]:
    """What each key is given, the lowest first, without what a layer above deleted."""
    found: dict[str, list[_Part]] = {}
    for layer, mapping in parts:
        for key in [key for key in found if layer.deletes]:
            if (*path, key) in layer.deletes:
                del found[key]
            elif key not in mapping and isinstance(found[key][-1][1], dict) and _deletes_below(layer, (*path, key)):
                found[key].append((layer, Frozen()))  # It gives nothing here, and takes something away further down.
        for key, value in mapping.items():
            found.setdefault(key, []).append((layer, value))
    return found


def _deletes_below(layer: Layer, path: Path) -> bool:
    """True when `layer`, though it may give nothing at `path`, takes something away below it."""
    return any(len(deleted) > len(path) and deleted[: len(path)] == path for deleted in layer.deletes)


def _conflict(parts: list[_Part], path: Path) -> MergeConflict:
    (lower, below), (upper, _) = next(
        (one, other) for one, other in pairwise(parts) if isinstance(one[1], dict) is not isinstance(other[1], dict)
    )
    places = (lower.place(path), upper.place(path))
    mapping, other = places if isinstance(below, dict) else reversed(places)
    return MergeConflict(render(path), mapping=str(mapping), other=str(other))


def _is_reference(layer: Layer, value: object) -> bool:
    """True for a text that may become of any type once it is expanded."""
    return layer.interpolates and isinstance(value, str) and "${" in value


def _kind(value: object) -> str | None:
    return _KINDS.get(type(value))
