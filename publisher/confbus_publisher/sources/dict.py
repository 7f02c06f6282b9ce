"""A mapping from Python as a source: defaults in code, overrides in tests, inline values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus_publisher.layer import Layer
from confbus_publisher.origin import Origin
from confbus_publisher.sources.tree import conform, paths

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path as FilePath

    from confbus.wire.path import Path


class DictSource:
    """`tree`, copied now: a later change of it changes nothing here.

    `origins` may say where each path was written; else every origin is `name`. Raises `InvalidDocument` with the
    path when `tree` holds what no document can.
    """

    watched: tuple[FilePath, ...] = ()

    def __init__(
        self,
        tree: Mapping[str, Any],
        *,
        priority: int = 0,
        name: str = "dict",
        origins: Mapping[Path, Origin] | None = None,
    ) -> None:
        self.name = name
        self.priority = priority
        frozen = conform(tree, source=name)
        known = origins or {}
        here = Origin(source=name)
        self._layer = Layer(name, priority, frozen, {path: known.get(path, here) for path in paths(frozen)})

    def __repr__(self) -> str:
        return f"DictSource({self.name!r}, priority={self.priority})"

    def load(self) -> Layer:
        """The same layer each time; it cannot fail."""
        return self._layer
