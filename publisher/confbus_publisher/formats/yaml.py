"""YAML as a configuration language: YAML 1.2 core types, no surprises, and the place of every value.

Everything doubtful is refused with its line: duplicate keys, other tags, keys that are no strings, numbers that do
not fit, several documents; and everything that explodes: nesting, aliases, merge keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from confbus.wire.frozen import Frozen, FrozenList
from confbus_publisher.formats.builder import Builder
from confbus_publisher.formats.events import check_directives, complaint
from confbus_publisher.formats.limits import NODES
from confbus_publisher.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from confbus.wire.path import Path


def load_yaml(
    text: str,
    *,
    origin_name: str,
    budget: int = NODES,
    within_lists: bool = False,
    deletes: set[Path] | None = None,
) -> tuple[Frozen, Mapping[Path, Origin]]:
    """The mapping that `text` holds, and the place of each leaf and mapping; an empty document is an empty mapping.

    The place of an entry is that of its key; of what came through an alias or a merge key, where it was written.
    `within_lists` also gives the places of what lists hold. `deletes` is given the paths tagged `!delete`, a tag that
    means nothing without it. `budget` bounds the values, counting each use of an
    alias. Raises `SourceFailed` with `origin_name`, line and column for everything that may be wrong. Safe in a
    thread with a small stack.
    """
    check_directives(text, origin_name=origin_name)
    try:
        builder = Builder(text, origin_name, budget=budget, may_delete=deletes is not None)
        tree, mark = builder.document()
    except (yaml.YAMLError, UnicodeEncodeError) as failure:
        raise complaint(failure, text, origin_name=origin_name) from failure
    origins = _origins(tree, mark, builder.marks, file=origin_name, within_lists=within_lists)
    if deletes is not None and builder.deleted:
        deletes.update(_deletes(tree, builder.deleted))
    return tree, origins


def _origins(
    tree: Frozen, start: Any, marks: Mapping[int, Any], *, file: str, within_lists: bool
) -> dict[Path, Origin]:
    """The place of every path; what aliases share is placed once."""
    origins: dict[Path, Origin] = {(): _place(start, file)}
    placed: dict[int, dict[Any, Origin]] = {}
    waiting: list[tuple[Path, Any]] = [((), tree)]
    while waiting:
        prefix, value = waiting.pop()
        entries = value.items() if type(value) is Frozen else enumerate(value)
        own = placed.get(id(value))
        if own is None:
            own_marks = marks[id(value)]
            own = placed[id(value)] = {key: _place(own_marks[key], file) for key in _keys(value)}
        for key, part in entries:
            path = (*prefix, key)
            origins[path] = own[key]
            if type(part) is Frozen or (within_lists and type(part) is FrozenList):
                waiting.append((path, part))
    return origins


def _deletes(tree: Frozen, deleted: Mapping[int, list[str]], prefix: Path = ()) -> Iterator[Path]:
    """The paths of what is deleted; what stands in a list deletes nothing."""
    for key in deleted.get(id(tree), ()):
        yield (*prefix, key)
    for key, value in tree.items():
        if type(value) is Frozen:
            yield from _deletes(value, deleted, (*prefix, key))


def _keys(value: Frozen | FrozenList) -> Iterable[Any]:
    return value if isinstance(value, Frozen) else range(len(value))


def _place(mark: Any, file: str) -> Origin:
    return Origin(file=file, line=mark.line + 1, column=mark.column + 1)
