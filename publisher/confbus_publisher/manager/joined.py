"""A group of sources as one: for whoever takes sources one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.formats.tree import paths
from confbus_publisher.layer import Layer, same_objects
from confbus_publisher.layers import Layers
from confbus_publisher.merge import Merger

if TYPE_CHECKING:
    from pathlib import Path

    from confbus_publisher.sources.source import SourceGroup


class JoinedSource:
    """The members of `group`, merged; a failing member keeps its last good values. For one thread."""

    def __init__(self, group: SourceGroup) -> None:
        self.name = group.name
        self.priority = group.priority
        self._layers = Layers([group])
        self._merger = Merger()
        self._last: tuple[tuple[Layer, ...], Layer] | None = None

    @property
    def watched(self) -> tuple[Path, ...]:
        return tuple(self._layers.watched)

    def load(self) -> Layer:
        """The very same layer while nothing changed. Raises `SourceFailed` and `MergeConflict`."""
        parts = self._layers.load()
        if self._last is None or not same_objects(parts, self._last[0]):
            self._last = (parts, self._joined(parts))
        return self._last[1]

    def _joined(self, parts: tuple[Layer, ...]) -> Layer:
        merged = self._merger.merge(parts)
        return Layer(
            self.name,
            self.priority,
            merged.tree,
            {path: merged.origin(path) for path in paths(merged.tree)},
            parts[0].kind,
            frozenset(path for part in parts for path in part.deletes),
            all(part.interpolates for part in parts),
        )
