"""Anchors, merge keys, and where each value stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.wire.frozen import Frozen, FrozenList
from confbus_publisher.formats.yaml import load_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.path import Path
    from confbus_publisher.origin import Origin


def places(origins: Mapping[Path, Origin]) -> dict[Path, str]:
    return {path: str(origin) for path, origin in origins.items()}


def test_every_leaf_and_mapping_has_the_place_of_its_key() -> None:
    text = "# the shop\ndatabase:\n  host: db\n  ports:\n    - 1\n    - 2\n  extra: {}\n"

    _, origins = load_yaml(text, origin_name="app.yaml")

    assert places(origins) == {
        (): "app.yaml:2:1",
        ("database",): "app.yaml:2:1",
        ("database", "host"): "app.yaml:3:3",
        ("database", "ports"): "app.yaml:4:3",
        ("database", "extra"): "app.yaml:7:3",
    }


def test_places_inside_lists_are_given_on_request() -> None:
    text = "sources:\n  - file: a.yaml\n  - [x]\n"

    _, origins = load_yaml(text, origin_name="app.yaml", within_lists=True)

    assert places(origins) == {
        (): "app.yaml:1:1",
        ("sources",): "app.yaml:1:1",
        ("sources", 0): "app.yaml:2:5",
        ("sources", 0, "file"): "app.yaml:2:5",
        ("sources", 1): "app.yaml:3:5",
        ("sources", 1, 0): "app.yaml:3:6",
    }


def test_what_comes_through_an_alias_stands_where_it_was_written() -> None:
    text = "base: &base\n  host: db\ncopy: *base\n"

    tree, origins = load_yaml(text, origin_name="app.yaml")

    assert tree["copy"] is tree["base"]
    assert str(origins["copy",]) == "app.yaml:3:1"
    assert str(origins["copy", "host"]) == "app.yaml:2:3"


def test_what_comes_through_a_merge_key_stands_where_it_was_written() -> None:
    text = "base: &base\n  host: db\n  port: 1\nweb:\n  port: 2\n  <<: *base\n"

    tree, origins = load_yaml(text, origin_name="app.yaml")

    assert tree["web"] == {"host": "db", "port": 2}
    assert str(origins["web", "host"]) == "app.yaml:2:3"
    assert str(origins["web", "port"]) == "app.yaml:5:3"


def test_an_explicit_key_wins_over_a_merge_key_wherever_it_stands() -> None:
    text = "base: &base {a: 1, b: 1}\nbefore: {a: 2, <<: *base}\nafter: {<<: *base, a: 2}\n"

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert tree["before"] == tree["after"] == {"a": 2, "b": 1}


def test_the_earlier_of_several_merged_mappings_wins() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y, {c: 3, d: 3}]\n"

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert tree["z"] == {"a": 1, "b": 1, "c": 2, "d": 3}


def test_a_quoted_merge_key_is_a_key() -> None:
    text = "'<<': 1\n"

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert tree == {"<<": 1}


def test_the_later_of_two_equal_anchors_counts() -> None:
    text = "one: &a 1\ntwo: &a 2\nthree: *a\nfour: &b [&b x, *b]\nfive: *b\n"

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert tree["three"] == 2
    assert tree["five"] == "x"


def test_a_key_and_an_alias_for_one_may_carry_an_anchor() -> None:
    text = "&k name: value\ncopy: {*k : 1}\n"

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert tree["copy"] == {"name": 1}


def test_trees_are_frozen_all_the_way_down() -> None:
    text = "a: {b: [{c: 1}]}\n"

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert type(tree) is type(tree["a"]) is type(tree["a"]["b"][0]) is Frozen
    assert type(tree["a"]["b"]) is FrozenList
