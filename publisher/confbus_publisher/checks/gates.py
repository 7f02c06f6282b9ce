"""Changes that are rarely meant: a document that grew by leaps, lost many of its keys, or has a value of another type.

A gate compares with the head, and stays closed until a person approves just this document.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from confbus.wire import codec
from confbus.wire.frozen import Reference, is_list, is_mapping
from confbus.wire.path import leaves
from confbus_publisher.checks.problem import Problem
from confbus_publisher.checks.schema_message import type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.wire.frozen import Frozen
    from confbus.wire.path import Path
    from confbus_publisher.checks.candidate import Candidate

FREE_BYTES = 1024
"""Documents up to this size may grow as they like: what is small is easily trebled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """`growth`: the most times the encoded document may become larger. `removed`: the share of leaves that may go.
    `types`: whether a value may not become one of another type."""

    growth: float | None = None
    removed: float | None = None
    types: bool = False


class GatesCheck:
    """Compares the candidate with the head; without a head every gate is open."""

    name = "gates"
    needs_head = True

    def __init__(self, gates: Gates) -> None:
        self._gates = gates

    def __call__(self, candidate: Candidate) -> Iterator[Problem]:
        if candidate.before is None:
            return
        problems = [
            *self._growth(candidate.before, candidate),
            *self._removed(candidate.before, candidate),
            *self._types(candidate.before, candidate),
        ]
        if problems and not candidate.approved(candidate.digest):
            yield from problems

    def _growth(self, before: Frozen, candidate: Candidate) -> Iterator[Problem]:
        if self._gates.growth is None:
            return
        old, new = len(codec.encode(before)), len(codec.encode(candidate.tree))
        if new > FREE_BYTES and new > old * self._gates.growth:
            sizes = f"it has {new:,} bytes after {old:,}"
            yield self._closed((), f"{sizes}, more than {self._gates.growth:g} times as many", "", candidate)

    def _removed(self, before: Frozen, candidate: Candidate) -> Iterator[Problem]:
        if self._gates.removed is None:
            return
        old = [path for path, _ in leaves(before)]
        gone = [path for path in old if not _has(candidate.tree, path)]
        if old and len(gone) > len(old) * self._gates.removed:
            share = f"{len(gone)} of {len(old)} values are gone, more than {self._gates.removed:.0%}"
            common = _common(gone)
            yield self._closed(common, share, candidate.place(common), candidate)

    def _types(self, before: Frozen, candidate: Candidate) -> Iterator[Problem]:
        if self._gates.types:
            for path, old, new in _retyped(before, candidate.tree, ()):
                place = candidate.place(path)
                yield self._closed(path, f"it was {type_name(old)}, and is {type_name(new)} now", place, candidate)

    def _closed(self, path: Path, message: str, place: str, candidate: Candidate) -> Problem:
        advice = f'If that is meant: confbus approve {candidate.digest} -m "why".'
        return Problem(path, message, advice, place, self.name)


def _has(tree: Any, path: Path) -> bool:
    """True when something is at `path`, and also when a value of another kind took the place of what was around it."""
    for part in path:
        if not is_mapping(tree):
            return True
        if part not in tree:
            return False
        tree = tree[part]
    return True


def _common(paths: list[Path]) -> Path:
    """The deepest path that all of `paths` are below; they hold no index."""
    first, last = min(paths), max(paths)
    return tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))


def _retyped(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """The values whose type is another one. Numbers are one type, and null may become anything: it was no value."""
    if is_mapping(old) and is_mapping(new):
        for key, value in old.items():
            if key in new and new[key] is not value:
                yield from _retyped(value, new[key], (*path, key))
    elif not _is_open(old) and not isinstance(new, Reference) and _type(old) != _type(new):
        yield path, old, new


def _is_open(old: Any) -> bool:
    """True for what was no value, or one whose type only workers know."""
    return old is None or isinstance(old, Reference)


def _type(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "list" if is_list(value) else "mapping" if is_mapping(value) else type(value).__name__
    return "number"
