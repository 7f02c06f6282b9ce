"""What changed between two documents, leaf by leaf."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.wire import path as paths
from confbus.wire.diff import Change, ChangeType, diff, same
from confbus.wire.frozen import freeze, thaw
from confbus.wire.snapshot import Snapshot
from support.documents import documents, values

EXAMPLES: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, Any, Any]]]] = [
    ({"a": 1}, {"a": 2}, [("modified", "a", 1, 2)]),
    ({}, {"a": {"b": 1, "c": {}}}, [("added", "a.b", None, 1), ("added", "a.c", None, {})]),
    ({"a": {"b": 1}}, {}, [("removed", "a.b", 1, None)]),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("modified", "a.c", 2, 3)]),
    ({"a": [1, 2]}, {"a": [1, 2, 3]}, [("modified", "a", [1, 2], [1, 2, 3])]),
    ({"a": 1}, {"a": {"b": 2}}, [("removed", "a", 1, None), ("added", "a.b", None, 2)]),
    ({"a": {"b": 2}}, {"a": 1}, [("removed", "a.b", 2, None), ("added", "a", None, 1)]),
    ({"a": {}}, {"a": None}, [("modified", "a", {}, None)]),
    ({"a": None}, {}, [("removed", "a", None, None)]),
    ({"b": 1, "a": 1}, {"b": 2, "a": 2}, [("modified", "a", 1, 2), ("modified", "b", 1, 2)]),
    ({"a.b": 1}, {"a.b": 2}, [("modified", '["a.b"]', 1, 2)]),
]


def told(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, Any, Any]]:
    return [(change.change_type.value, change.path, change.old_value, change.new_value) for change in diff(old, new)]


def applied(changes: list[Change], old: dict[str, Any]) -> dict[str, Any]:
    """`old` with each change made to it, as a reader of the changes would."""
    tree: dict[str, Any] = thaw(old)
    for change in changes:
        if change.change_type is not ChangeType.ADDED:
            _remove(tree, change.parts)
    for change in changes:
        if change.change_type is not ChangeType.REMOVED:
            _put(tree, change.parts, change.new_value)
    return tree


def _remove(tree: Any, path: paths.Path) -> None:
    parents = [paths.lookup(tree, path[:depth]) for depth in range(len(path))]
    del parents[-1][path[-1]]


def _put(tree: Any, path: paths.Path, value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def pruned(tree: Any) -> Any:
    """Without the mappings that became empty because all below them went; they have no leaf to tell of."""
    if not isinstance(tree, dict):
        return tree
    parts = {key: pruned(part) for key, part in cast("dict[str, Any]", tree).items()}
    return {key: part for key, part in parts.items() if part != {} or not isinstance(part, dict)}


def neighbours(old: dict[str, Any]) -> st.SearchStrategy[tuple[dict[str, Any], dict[str, Any]]]:
    """`old` with documents that have some of its values, others for some, and lack some."""
    near: st.SearchStrategy[Any] = st.fixed_dictionaries(
        {}, optional={key: st.just(value) | values for key, value in old.items()}
    )
    return st.tuples(st.just(old), near)


pairs = st.tuples(documents, documents) | documents.flatmap(neighbours)


@given(pair=pairs)
def test_making_the_changes_to_the_old_gives_the_new(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    old, new = pair

    after = applied(diff(old, new), old)

    assert same(pruned(after), pruned(new))


@given(pair=pairs)
def test_the_way_back_is_the_same_way(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    old, new = pair
    turned = {ChangeType.ADDED: ChangeType.REMOVED, ChangeType.REMOVED: ChangeType.ADDED}

    there, back = diff(old, new), diff(new, old)

    reverse = {(each.parts, turned.get(each.change_type, each.change_type)) for each in there}
    assert {(each.parts, each.change_type) for each in back} == reverse
    assert len(back) == len(there) == len(reverse)


@given(document=documents)
def test_nothing_changed_between_equal_documents(document: dict[str, Any]) -> None:
    assert diff(document, thaw(freeze(document))) == []
    assert same(document, thaw(document))


@pytest.mark.parametrize(("old", "new", "changes"), EXAMPLES)
def test_each_changed_leaf_is_one_change(
    old: dict[str, Any], new: dict[str, Any], changes: list[tuple[str, str, Any, Any]]
) -> None:
    assert told(old, new) == changes


@pytest.mark.parametrize(("old", "new"), [(1, 1.0), (1, True), (0, False), (1.0, True), ("1", 1), (None, False)])
def test_a_value_of_another_type_is_another_value(old: Any, new: Any) -> None:
    assert told({"a": old}, {"a": new}) == [("modified", "a", old, new)]
    assert len(diff({"a": [{"b": old}]}, {"a": [{"b": new}]})) == 1
    assert same(old, new) is False


@given(old=documents, new=documents)
def test_snapshots_differ_as_their_documents_do(old: dict[str, Any], new: dict[str, Any]) -> None:
    def snapshot(document: dict[str, Any]) -> Snapshot:
        return Snapshot(freeze(document), version=1, revision=1, epoch="e", digest="d", at_ms=0)

    assert diff(snapshot(old), snapshot(new)) == diff(old, new)


def test_a_change_shows_no_value() -> None:
    change = diff({"password": "hunter2"}, {"password": "hunter3"})[0]

    assert repr(change) == "Change(modified password)"
