"""A mapping from Python as a source: defaults in code, overrides in tests, inline values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus_publisher.formats.tree import conform, paths
from confbus_publisher.layer import Layer, deletions
from confbus_publisher.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path as FilePath

    from confbus.wire.path import Path


class DictSource:
    """`tree`, copied now: a later change of it changes nothing here.

    `origins` may say where each path was written; else every origin is `name`. `delete` are paths that it takes out of
    the layers below. Raises `InvalidDocument` with the path when `tree` holds what no document can.
    """

    watched: tuple[FilePath, ...] = ()

    def __init__(
        self,
        tree: Mapping[str, Any],
        *,
        priority: int = 0,
        name: str = "dict",
        origins: Mapping[Path, Origin] | None = None,
        interpolate: bool = True,
        delete: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.priority = priority
        frozen = conform(tree, source=name)
        known = origins or {}
        here = Origin(source=name)
        places = {path: known.get(path, here) for path in paths(frozen)}
        self._layer = Layer(name, priority, frozen, places, "values", deletions(delete), interpolate)

    def __repr__(self) -> str:
        return f"DictSource({self.name!r}, priority={self.priority})"

    def load(self) -> Layer:
        """The same layer each time; it cannot fail."""
        return self._layer
