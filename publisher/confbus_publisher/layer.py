"""What one source gave at one load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.path import Path
    from confbus_publisher.origin import Origin


@dataclass(frozen=True, slots=True)
class Layer:
    """A frozen tree, and where each leaf and each mapping of it stands.

    A list is a leaf, and so is an empty mapping; the empty path is the tree itself. An unchanged source gives
    the very same layer again, so `is` tells whether anything has to be done.

    `kind` is the word for the source's kind in confbus.yaml. `deletes` are paths that the layer takes out of those
    below it. Strings with `${…}` are expanded after the merge only when the layer `interpolates`.
    """

    source: str
    priority: int
    tree: Mapping[str, Any]
    origins: Mapping[Path, Origin]
    kind: str = "values"
    deletes: frozenset[Path] = frozenset()
    interpolates: bool = False

    def __repr__(self) -> str:
        return f"Layer({self.source!r}, priority={self.priority}, keys={len(self.tree)})"
