"""What one source gave at one load."""

from __future__ import annotations

from dataclasses import dataclass
from operator import is_
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidPath
from confbus.wire.path import parse
from confbus_publisher.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from confbus.wire.path import Path


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

    def place(self, path: Path) -> Origin:
        """Where it gives `path`, or the nearest path above it."""
        ends = (end for end in range(len(path), -1, -1) if path[:end] in self.origins)
        return next((self.origins[path[:end]] for end in ends), Origin(source=self.source))

    def __repr__(self) -> str:
        return f"Layer({self.source!r}, priority={self.priority}, keys={len(self.tree)})"

    @property
    def is_override(self) -> bool:
        """True for what people put on top of all sources."""
        return self.kind == "override"


def same_objects(some: Sequence[object], others: Sequence[object]) -> bool:
    """True when both hold the very same objects in the same order."""
    return len(some) == len(others) and all(map(is_, some, others))


def deletions(texts: Iterable[str]) -> frozenset[Path]:
    """The paths of a source's `delete`. Raises `InvalidPath` for what is no path, or leads into a list."""
    paths = {text: parse(text) for text in texts}
    for text, path in paths.items():
        if not path or not all(isinstance(part, str) for part in path):
            raise InvalidPath(text, 1, "a key, not an item of a list, can be deleted" if path else "it is empty")
    return frozenset(paths.values())
