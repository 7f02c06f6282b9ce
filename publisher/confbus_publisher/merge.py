"""One tree out of many layers: the higher priority wins, and mappings are merged key by key."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from confbus.errors import MergeConflict
from confbus.wire.frozen import Frozen, freeze
from confbus.wire.path import leaves, lookup, render
from confbus_publisher.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confbus.wire.path import Path
    from confbus_publisher.layer import Layer

_Part = tuple["Layer", Any]


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged tree, and for each leaf the origin of the value that won."""

    tree: Frozen
    origins: Mapping[Path, Origin]

    def __repr__(self) -> str:
        return f"Merged(keys={len(self.tree)}, leaves={len(self.origins)})"


def merge(layers: Sequence[Layer]) -> Merged:
    """`layers` by rising priority, the later of two equals on top; scalars and lists replace what is below.

    What only one layer gives is the very same object in the result. A null over a scalar or a list is a value.
    Raises `MergeConflict`, naming both places, where one layer has a mapping and another has none.
    """
    ranked = sorted(layers, key=lambda layer: layer.priority)
    tree = freeze(_mapping([(layer, layer.tree) for layer in ranked], ()))
    return Merged(tree, {path: _origin(path, ranked) for path, _ in leaves(tree)})


def conflicts(layers: Sequence[Layer]) -> list[MergeConflict]:
    """Everything for which `merge` would raise: one conflict for each path where mappings meet what is none."""
    given: dict[Path, list[_Part]] = {}
    for layer in sorted(layers, key=lambda layer: layer.priority):
        for path in layer.origins:
            if all(isinstance(part, str) for part in path):  # Of what is in a list nothing is merged.
                given.setdefault(path, []).append((layer, lookup(layer.tree, path)))
    return [
        _conflict(parts, path)
        for path, parts in given.items()
        if 0 < sum(isinstance(value, dict) for _, value in parts) < len(parts)
    ]


def _mapping(parts: list[_Part], path: Path) -> Any:
    """The merge of mappings that several layers have at `path`, lowest first."""
    given = [part for part in parts if part[1]]
    if len(given) < 2:
        return (given or parts)[-1][1] if parts else Frozen()
    found: dict[str, list[_Part]] = {}
    for layer, mapping in given:
        for key, value in mapping.items():
            found.setdefault(key, []).append((layer, value))
    return Frozen({key: _value(same_key, (*path, key)) for key, same_key in found.items()})


def _value(parts: list[_Part], path: Path) -> Any:
    if len(parts) == 1:
        return parts[0][1]
    mappings = sum(isinstance(value, dict) for _, value in parts)
    if mappings == len(parts):
        return _mapping(parts, path)
    if mappings:
        raise _conflict(parts, path)
    return parts[-1][1]


def _conflict(parts: list[_Part], path: Path) -> MergeConflict:
    (lower, below), (upper, _) = next(
        (one, other) for one, other in pairwise(parts) if isinstance(one[1], dict) is not isinstance(other[1], dict)
    )
    places = (_origin(path, [lower]), _origin(path, [upper]))
    mapping, other = places if isinstance(below, dict) else reversed(places)
    return MergeConflict(render(path), mapping=str(mapping), other=str(other))


def _origin(path: Path, ranked: Sequence[Layer]) -> Origin:
    """Where the uppermost layer that has `path` got it. Layers never disagree on what is a leaf, so it has won."""
    for layer in reversed(ranked):
        if path in layer.origins:
            return layer.origins[path]
    return Origin(source=ranked[-1].source)
