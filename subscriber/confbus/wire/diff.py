"""What changed between two documents, leaf by leaf, strict about types (`1`, `1.0` and `true` are three values)."""

from __future__ import annotations

from enum import Enum

from confbus.wire import path as paths
from confbus.wire.frozen import is_list, is_mapping
from confbus.wire.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class ChangeType(Enum):
    """What happened to a leaf."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"


@record(frozen=True, slots=True)
class Change:
    """One leaf that changed; a list is a leaf. The absent side is None, and `change_type` says which."""

    parts: paths.Path
    old_value: Any
    new_value: Any
    change_type: ChangeType

    @property
    def path(self) -> str:
        return paths.render(self.parts)

    def __repr__(self) -> str:
        return f"Change({self.change_type.value} {self.path})"


def diff(old: Mapping[str, Any], new: Mapping[str, Any], at: paths.Path = ()) -> list[Change]:
    """The changed leaves, sorted by key; parts that are one and the same object cost nothing."""
    changes: list[Change] = []
    old, new = dict(old), dict(new)  # the keys of a snapshot are paths; here they must be keys
    for key in sorted({*old, *new}):
        here = (*at, key)
        if key not in old:
            changes += [Change(path, None, value, ChangeType.ADDED) for path, value in _leaves(new[key], here)]
        elif key not in new:
            changes += [Change(path, value, None, ChangeType.REMOVED) for path, value in _leaves(old[key], here)]
        elif old[key] is not new[key]:
            changes += _changed(old[key], new[key], here)
    return changes


def same(one: Any, other: Any) -> bool:
    """True when both are the same value of the same types all the way down."""
    if one is other:
        return True
    if is_mapping(one) and is_mapping(other):
        return one.keys() == other.keys() and all(same(part, other[key]) for key, part in one.items())
    if is_list(one) and is_list(other):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def _changed(old: Any, new: Any, here: paths.Path) -> list[Change]:
    if _branches(old) and _branches(new):
        return diff(old, new, here)
    if same(old, new):
        return []
    if not _branches(old) and not _branches(new):
        return [Change(here, old, new, ChangeType.MODIFIED)]
    gone = [Change(path, value, None, ChangeType.REMOVED) for path, value in _leaves(old, here)]
    return gone + [Change(path, None, value, ChangeType.ADDED) for path, value in _leaves(new, here)]


def _branches(value: Any) -> bool:
    return is_mapping(value) and bool(value)


def _leaves(value: Any, here: paths.Path) -> list[tuple[paths.Path, Any]]:
    return paths.leaves(value, here) if is_mapping(value) and value else [(here, value)]
