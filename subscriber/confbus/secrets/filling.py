"""Documents with other leaves in some places: the same objects everywhere else."""

from __future__ import annotations

from confbus.wire.frozen import Frozen, FrozenList, is_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from confbus.wire import path as paths


def filled(below: Any, leaves: Mapping[paths.Path, Any]) -> Any:
    """`below` with `leaves` at their paths in it; all of them lead to something that is there."""
    if () in leaves:
        return leaves[()]
    inner: dict[Any, dict[paths.Path, Any]] = {}
    for path, leaf in leaves.items():
        inner.setdefault(path[0], {})[path[1:]] = leaf
    parts = {key: filled(below[key], further) for key, further in inner.items()}
    if is_mapping(below):
        return Frozen({**below, **parts})
    return FrozenList(parts.get(index, item) for index, item in enumerate(below))
