"""What a person may say about the merge: joined lists, values replaced whole, deletions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import MergeConflict, SourceFailed
from confbus.wire.frozen import Frozen, thaw
from confbus.wire.path import Pattern
from confbus_publisher.formats.yaml import load_yaml
from confbus_publisher.layer import Layer
from confbus_publisher.merge import Merger, conflicts, merge
from confbus_publisher.merge_rules import Rules
from confbus_publisher.origin import Origin
from confbus_publisher.sources import DictSource

ORIGIN = Origin(source="here")
SCALARS = st.sampled_from([0, 1, "x", None])
TREES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from("ab"),
    st.recursive(SCALARS, lambda inner: st.dictionaries(st.sampled_from("ab"), inner, max_size=2), max_leaves=5),
    max_size=2,
)


def layer(tree: dict[str, Any], *, priority: int = 0, name: str = "dict") -> Layer:
    return DictSource(tree, priority=priority, name=name).load()


def yaml_layer(text: str, *, file: str = "app.yaml", priority: int = 0) -> Layer:
    deletes: set[Any] = set()
    tree, origins = load_yaml(text, origin_name=file, deletes=deletes)
    return Layer(file, priority, tree, origins, "file", frozenset(deletes))


def joined(strategy: str, *lists: Any) -> Any:
    rules = Rules([(Pattern("web.hosts"), strategy)])
    return thaw(merge([layer({"web": {"hosts": each}}) for each in lists], rules).tree)["web"]["hosts"]


def test_lists_are_joined_by_the_strategy_of_their_path() -> None:
    assert joined("append", [1, 2], [2], [3]) == [1, 2, 2, 3]
    assert joined("prepend", [1, 2], [2], [3]) == [3, 2, 1, 2]
    assert joined("unique", [1, 2], [2, True, 1.0], [{"a": 1}, {"a": 1}]) == [1, 2, True, 1.0, {"a": 1}]


def test_what_is_no_list_replaces_also_where_lists_are_joined() -> None:
    assert joined("append", [1], None, [2], [3]) == [2, 3]
    assert joined("append", [1], "none") == "none"


def test_a_list_that_no_rule_names_replaces() -> None:
    rules = Rules([(Pattern("web.*.hosts"), "append")])

    merged = merge([layer({"web": {"a": {"hosts": [1]}, "hosts": [1]}})] * 2, rules)

    assert merged.tree == {"web": {"a": {"hosts": [1, 1]}, "hosts": [1]}}


@pytest.mark.parametrize("below", [{"a": 1}, 1, None, [1]])
@pytest.mark.parametrize("above", [{"b": 2}, "x", None, [2]])
def test_under_replace_the_upper_value_stands_whole_whatever_it_is(below: Any, above: Any) -> None:
    layers = [layer({"x": {"y": below, "z": {"kept": 1}}}), layer({"x": {"y": above, "z": {"more": 2}}})]
    rules = Rules(replace=[Pattern("x.y")])

    merged = merge(layers, rules)

    assert merged.tree == {"x": {"y": above, "z": {"kept": 1, "more": 2}}}
    assert conflicts(layers, rules) == []


def test_null_over_a_mapping_is_an_error_that_names_both() -> None:
    base, local = yaml_layer("db:\n  port: 1\n", file="base.yaml"), yaml_layer("db:\n", file="local.yaml")

    with pytest.raises(MergeConflict) as caught:
        merge([base, local])

    assert "base.yaml:1:1: db: it is a mapping here, and at local.yaml:1:1 it is none" in str(caught.value)


def test_a_scalar_of_another_type_replaces_and_is_told() -> None:
    base = yaml_layer("a: 1\nb: 1\nc: x\nd: [1]\ne: null\nf: 1\n", file="base.yaml")
    local = yaml_layer("a: yes\nb: 1.5\nc: true\nd: 1\ne: 1\nf: null\n", file="local.yaml")

    merged = merge([base, local])

    assert [str(each) for each in merged.replacements] == [
        "local.yaml:1:1: a becomes a string; at base.yaml:1:1 it is a number",
        "local.yaml:3:1: c becomes true or false; at base.yaml:3:1 it is a string",
        "local.yaml:4:1: d becomes a number; at base.yaml:4:1 it is a list",
    ]


def test_a_deletion_takes_out_what_the_layers_below_gave() -> None:
    base = yaml_layer("db: {host: x, pool: {min: 1, max: 2}}\nold: 1\n")
    middle = yaml_layer("old: !delete\ndb:\n  pool: !delete\n  host: !delete\n")
    local = yaml_layer("db: {pool: {max: 5}}\n")

    merged = merge([base, middle, local])

    assert merged.tree == {"db": {"pool": {"max": 5}}}
    assert merge([local, base, middle]).tree == {"db": {}}


def test_a_source_deletes_below_mappings_that_it_does_not_have() -> None:
    base = layer({"a": {"b": {"c": 1, "d": 2}, "e": 3}, "f": 4})
    deleting = Layer("cut", 1, layer({"g": 5}).tree, {("g",): base.origins[()]}, "file", frozenset({("a", "b", "c")}))

    merged = merge([base, deleting])

    assert merged.tree == {"a": {"b": {"d": 2}, "e": 3}, "f": 4, "g": 5}


@pytest.mark.parametrize("gone", [("nothing",), ("f", "x"), ("a", "x", "y")])
def test_to_delete_what_is_not_there_changes_nothing(gone: tuple[str, ...]) -> None:
    base = layer({"a": {"b": 1}, "f": 4})

    merged = merge([base, Layer("cut", 1, {}, {}, "file", frozenset({gone}))])

    assert merged.tree == base.tree


def test_a_deletion_ends_a_conflict() -> None:
    layers = [yaml_layer("db: {host: x}\n"), yaml_layer("db: !delete\n"), yaml_layer("db: postgres://\n")]

    merged = merge(layers)

    assert merged.tree == {"db": "postgres://"}
    assert conflicts(layers) == []


def test_delete_also_takes_what_a_merge_key_brings() -> None:
    deleting = yaml_layer("base: &base {a: 1, b: 2}\nmine:\n  <<: *base\n  a: !delete\n")

    assert deleting.tree == {"base": {"a": 1, "b": 2}, "mine": {"b": 2}}
    assert deleting.deletes == {("mine", "a")}


@pytest.mark.parametrize(
    ("text", "place"), [("a: !delete 1", "app.yaml:1:4"), ("a: [!delete ]", ":1:5"), ("!delete a: 1", ":1:1")]
)
def test_delete_stands_alone_and_as_a_value(text: str, place: str) -> None:
    with pytest.raises(SourceFailed) as caught:
        yaml_layer(text)

    assert place in caught.value.origin


def test_where_nothing_lies_below_delete_means_nothing() -> None:
    with pytest.raises(SourceFailed, match="the tag !delete means nothing here"):
        load_yaml("a: !delete", origin_name="confbus.yaml")


@given(a=TREES, b=TREES, c=TREES, at=st.sampled_from(["a", "a.b", "*.a", "b"]))
def test_replacing_in_steps_is_replacing_at_once(a: Any, b: Any, c: Any, at: str) -> None:
    rules = Rules(replace=[Pattern(at)])

    def merged(*trees: Any) -> Any:
        try:
            return thaw(merge([layer(tree) for tree in trees], rules).tree)
        except MergeConflict:
            return None

    left, right = merged(a, b), merged(b, c)

    if left is not None and right is not None:
        assert merged(left, c) == merged(a, right) == merged(a, b, c)


@given(trees=st.lists(st.lists(TREES, min_size=2, max_size=3), min_size=2, max_size=4))
def test_a_merger_that_remembers_gives_what_a_new_one_gives(trees: list[list[dict[str, Any]]]) -> None:
    remembering = Merger()

    for each in trees:
        layers = [layer(tree, name=str(at)) for at, tree in enumerate(each)]
        try:
            fresh = merge(layers)
        except MergeConflict:
            continue
        again, once_more = remembering.merge(layers), remembering.merge(layers)

        assert again == once_more == fresh
        assert all(once_more.tree[key] is value for key, value in again.tree.items())


def test_a_section_whose_parts_stayed_is_the_very_same_object() -> None:
    base, local = layer({"web": {"a": 1}, "db": {"x": 1}}), layer({"web": {"b": 2}, "db": {"y": 1}})
    merger = Merger()
    before = merger.merge([base, local])
    changed = Layer(local.source, 0, Frozen({**local.tree, "db": Frozen({"y": 2})}), local.origins)

    after = merger.merge([base, changed])

    assert after.tree["web"] is before.tree["web"]
    assert after.tree["db"] == {"x": 1, "y": 2}


def test_what_is_still_a_reference_has_no_type_to_change() -> None:
    base = Layer("base", 0, Frozen({"a": "${PORT:1}", "b": "x"}), {(): ORIGIN}, "file", interpolates=True)
    local = Layer("local", 1, Frozen({"a": 3, "b": 3}), {(): ORIGIN}, "env")

    merged = merge([base, local])

    assert [each.path for each in merged.replacements] == [("b",)]
