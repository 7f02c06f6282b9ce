"""A document with other values at some paths: what a test changes of what it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidDocument, UnknownPath
from confbus.wire import path as paths
from confbus.wire.frozen import is_list, is_mapping, thaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def edited(
    document: Mapping[str, Any],
    changes: Mapping[str, Any] | Mapping[str | paths.Path, Any],
    *,
    remove: Iterable[str | paths.Path] = (),
) -> dict[str, Any]:
    """A plain copy of `document`, with the values of `changes` at their paths and nothing at those of `remove`.

    Mappings on the way are made; items of lists must be there. Raises `UnknownPath`, and `InvalidDocument` where a
    value that is no mapping stands in the way.
    """
    copy: dict[str, Any] = thaw(dict(document))
    for path, value in changes.items():
        _put(copy, _parsed(path), value)
    for path in remove:
        _take(copy, _parsed(path))
    return copy


def _put(tree: Any, path: paths.Path, value: Any) -> None:
    for depth, part in enumerate(path[:-1]):
        if not is_mapping(tree):
            tree = _item(tree, path[: depth + 1])
        else:
            keyed: dict[Any, Any] = tree
            tree = keyed.setdefault(part, {})
    if not is_mapping(tree):
        _item(tree, path)
    parent: Any = tree
    parent[path[-1]] = value


def _take(tree: Any, path: paths.Path) -> None:
    try:
        parent = paths.lookup(tree, path[:-1])
        paths.lookup(parent, path[-1:])
    except KeyError:
        raise UnknownPath(paths.render(path), nearest=paths.nearest(tree, path)) from None
    del parent[path[-1]]


def _item(tree: Any, path: paths.Path) -> Any:
    if not is_list(tree):
        raise InvalidDocument(paths.render(path[:-1]), "a value that is no mapping stands there")
    try:
        return paths.lookup(tree, path[-1:])
    except KeyError:
        raise UnknownPath(paths.render(path)) from None


def _parsed(path: str | paths.Path) -> paths.Path:
    return paths.parse(path) if isinstance(path, str) else tuple(path)
