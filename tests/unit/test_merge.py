"""Many layers, one tree."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import InvalidDocument, MergeConflict
from confbus.wire.frozen import Frozen, FrozenList, thaw
from confbus.wire.path import leaves, lookup
from confbus_publisher.formats.yaml import load_yaml
from confbus_publisher.layer import Layer
from confbus_publisher.merge import merge
from confbus_publisher.sources import DictSource

KEYS = st.sampled_from("abc")
LEAVES = st.none() | st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2)
TREES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    KEYS, st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6), max_size=3
)


def layer(tree: dict[str, Any], *, priority: int = 0, name: str = "dict") -> Layer:
    return DictSource(tree, priority=priority, name=name).load()


def yaml_layer(text: str, *, file: str, priority: int = 0) -> Layer:
    return Layer(file, priority, *load_yaml(text, origin_name=file))


def test_the_higher_priority_wins_whatever_the_order() -> None:
    layers = [layer({"a": 1, "b": 1}, priority=5), layer({"a": 2}, priority=20), layer({"a": 3, "b": 3}, priority=10)]

    trees = [merge(order).tree for order in itertools.permutations(layers)]

    assert trees == [{"a": 2, "b": 3}] * 6


def test_of_two_equal_priorities_the_later_wins() -> None:
    layers = [layer({"a": 1}), layer({"a": 2})]

    merged = merge(layers)

    assert merged.tree == {"a": 2}


def test_mappings_merge_and_lists_replace() -> None:
    layers = [layer({"db": {"host": "x", "ports": [1, 2]}}), layer({"db": {"ports": [3], "user": "u"}})]

    merged = merge(layers)

    assert merged.tree == {"db": {"host": "x", "ports": [3], "user": "u"}}


def test_null_is_a_value() -> None:
    layers = [layer({"a": 1, "b": [1]}), layer({"a": None, "b": None})]

    merged = merge(layers)

    assert merged.tree == {"a": None, "b": None}


def test_an_empty_mapping_takes_nothing_away() -> None:
    layers = [layer({"a": {"b": 1}}), layer({"a": {}}), layer({})]

    merged = merge(layers)

    assert merged.tree["a"] is layers[0].tree["a"]
    assert str(merged.origins["a", "b"]) == "dict"


@pytest.mark.parametrize("other", ["1", "[1]", "null", "text"])
def test_a_mapping_and_something_else_conflict_and_both_places_are_named(other: str) -> None:
    mapping = yaml_layer("x: 1\ndb:\n  pool: {size: hunter2}\n", file="base.yaml")
    scalar = yaml_layer(f"db:\n  pool: {other}\n", file="local.yaml")

    for layers in ([mapping, scalar], [scalar, mapping]):
        with pytest.raises(MergeConflict) as caught:
            merge(layers)

        assert str(caught.value).startswith("base.yaml:3:3: db.pool: it is a mapping here, and at local.yaml:2:3")
        assert "hunter2" not in str(caught.value)
    assert issubclass(MergeConflict, InvalidDocument)


def test_each_leaf_has_the_origin_that_won() -> None:
    base = yaml_layer("db:\n  host: x\n  port: 1\nlog: {}\n", file="base.yaml")
    local = yaml_layer("db:\n  port: 2\n", file="local.yaml", priority=1)

    merged = merge([local, base])

    assert {path: str(origin) for path, origin in merged.origins.items()} == {
        ("db", "host"): "base.yaml:2:3",
        ("db", "port"): "local.yaml:2:3",
        ("log",): "base.yaml:4:1",
    }


def test_what_one_layer_gives_alone_is_the_very_same_object() -> None:
    base = layer({"own": {"x": {"y": 1}}, "shared": {"left": {"a": 1}, "both": 1}})
    local = layer({"mine": {"z": [1]}, "shared": {"right": {"b": 1}, "both": 2}})

    merged = merge([base, local])

    assert merged.tree["own"] is base.tree["own"]
    assert merged.tree["mine"] is local.tree["mine"]
    assert merged.tree["shared"]["left"] is base.tree["shared"]["left"]
    assert merged.tree["shared"]["right"] is local.tree["shared"]["right"]


def test_no_layers_make_an_empty_tree() -> None:
    layers: list[Layer] = []

    merged = merge(layers)

    assert merged.tree == {}
    assert merged.origins == {}


def test_a_merge_shows_no_value() -> None:
    merged = merge([layer({"password": "hunter2"})])

    shown = repr(merged)

    assert shown == "Merged(keys=1, layers=1)"


def merged_or_conflict(*trees: Any) -> Any:
    """The merge in steps or at once: a nested tuple is merged first."""
    try:
        return thaw(merge([layer(merged_or_conflict(*t) if isinstance(t, tuple) else t) for t in trees]).tree)
    except MergeConflict:
        return {"conflict": None}


@given(a=TREES, b=TREES, c=TREES)
def test_merging_in_steps_is_merging_at_once(a: Any, b: Any, c: Any) -> None:
    at_once = merged_or_conflict(a, b, c)

    left, right = merged_or_conflict((a, b), c), merged_or_conflict(a, (b, c))

    if "conflict" not in at_once:
        assert left == right == at_once
    else:
        assert "conflict" in left
        assert "conflict" in right


@given(trees=st.lists(TREES, max_size=4), priorities=st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_origins_are_those_of_the_leaves_and_inputs_stay_as_they_are(
    trees: list[dict[str, Any]], priorities: list[int]
) -> None:
    layers = [
        layer(tree, priority=priority, name=str(index))
        for index, (tree, priority) in enumerate(zip(trees, priorities, strict=False))
    ]

    try:
        merged = merge(layers)
    except MergeConflict:
        merged = merge([])

    assert [each.tree for each in layers] == trees
    assert merged.origins.keys() == {path for path, _ in leaves(merged.tree)}
    assert all(type(value) is not dict and type(value) is not list for _, value in leaves(merged.tree))
    for path, origin in merged.origins.items():
        winner = layers[int(origin.source)]
        assert lookup(winner.tree, path) is lookup(merged.tree, path)
        assert not [each for each in layers if each.priority > winner.priority and path in each.origins]


def test_the_result_is_frozen() -> None:
    layers = [layer({"a": {"x": 1}}), layer({"a": {"y": [1]}})]

    merged = merge(layers)

    assert type(merged.tree) is type(merged.tree["a"]) is Frozen
    assert type(merged.tree["a"]["y"]) is FrozenList
