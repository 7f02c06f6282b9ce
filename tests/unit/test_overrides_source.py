"""Overrides as a source: above all others, one path each, and nothing that anybody writes there breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import MergeConflict
from confbus.wire.frozen import freeze
from confbus.wire.path import Pattern
from confbus_publisher.merge import merge
from confbus_publisher.merge_rules import Rules
from confbus_publisher.overrides.override import MAX_COUNT, Override, parse_path
from confbus_publisher.sources import DictSource
from confbus_publisher.sources.overrides import OverridesSource
from support.documents import keys, values


def texts(*, at_ms: int = 5, until_ms: int | None = None, **by_path: Any) -> dict[str, str]:
    """What the store keeps of overrides; __ stands for a dot."""
    found: dict[str, str] = {}
    for name, value in by_path.items():
        path = parse_path(name.replace("__", "."))
        override = Override(path=path, value=freeze(value), at_ms=at_ms, until_ms=until_ms)
        found[override.name] = override.text()
    return found


def source(kept: dict[str, str], *, at_ms: int = 10) -> OverridesSource:
    return OverridesSource(kept, at_ms=at_ms)


def test_an_override_wins_over_every_priority_that_settings_can_name() -> None:
    below = DictSource({"pool": {"min": 1, "size": 1}}, priority=2**64 - 1)

    merged = merge([source(texts(pool__size=2)).load(), below.load()])

    assert merged.tree == {"pool": {"min": 1, "size": 2}}


def test_a_mapping_goes_over_a_mapping_key_by_key_and_a_list_replaces() -> None:
    below = DictSource({"pool": {"min": 1, "size": 1}, "hosts": ["a", "b"]})

    merged = merge([below.load(), source(texts(pool={"size": 2}, hosts=["c"])).load()])

    assert merged.tree == {"pool": {"min": 1, "size": 2}, "hosts": ["c"]}


def test_a_list_replaces_also_where_the_sources_join_theirs() -> None:
    below = [DictSource({"hosts": [host]}, name=host).load() for host in "ab"]
    rules = Rules([(Pattern("hosts"), "append")])

    merged = merge([*below, source(texts(hosts=["c"])).load()], rules)

    assert merged.tree == {"hosts": ["c"]}
    assert not merged.joined


def test_one_key_leaves_the_others_also_in_what_the_uppermost_source_gives_whole() -> None:
    below = [
        DictSource({"carriers": {"old": 1}}).load(),
        DictSource({"carriers": {"dhl": {"cost": 1, "days": 2}, "ups": 3}}).load(),
    ]
    rules = Rules(replace=[Pattern("carriers")])

    merged = merge([*below, source(texts(carriers__dhl__cost=9)).load()], rules)

    assert merged.tree == {"carriers": {"dhl": {"cost": 9, "days": 2}, "ups": 3}}


@pytest.mark.parametrize("kept", [{}, texts(pool=1)])
def test_what_nobody_says_is_no_fault_of_an_override(kept: dict[str, str]) -> None:
    below = [DictSource({"pool": 1}, name="low").load(), DictSource({}, name="silent").load()]

    merged = merge([*below, source(kept).load()])

    assert str(merged.origin(())) == str(merged.origin(("lacking", "key"))) == "low"


@pytest.mark.parametrize("kept", [texts(pool=1), texts(pool__size={"a": 1}), texts(pool__size__a=1)])
def test_what_cannot_be_merged_names_the_override_and_how_to_end_it(kept: dict[str, str]) -> None:
    [name] = kept

    with pytest.raises(MergeConflict, match=rf"override {name} \(`confbus unset {name}`\)"):
        merge([DictSource({"pool": {"size": 1}}).load(), source(kept).load()])


def test_every_value_names_its_override_as_its_origin() -> None:
    layer = source(texts(pool={"size": 2, "deep": {"er": 3}}, debug__level="high")).load()

    named = {path: str(origin).partition(" (")[0] for path, origin in layer.origins.items()}
    assert named == {
        (): "overrides",
        ("pool",): "override pool",
        ("pool", "size"): "override pool",
        ("pool", "deep"): "override pool",
        ("pool", "deep", "er"): "override pool",
        ("debug",): "override debug.level",
        ("debug", "level"): "override debug.level",
    }
    assert layer.kind == "override"
    assert not layer.interpolates


def test_the_layer_is_the_very_same_while_nothing_is_different() -> None:
    overrides = source(texts(a=1) | texts(b=1, until_ms=20), at_ms=10)
    before = overrides.load()

    overrides.take(texts(a=1) | texts(b=1, until_ms=20), at_ms=19)
    same = overrides.load()
    overrides.take(overrides.texts, at_ms=20)
    ended = overrides.load()

    assert same is before
    assert (before.tree, ended.tree) == ({"a": 1, "b": 1}, {"a": 1})


def test_what_ended_is_told_until_it_is_gone() -> None:
    kept = texts(a=1) | texts(b=1, until_ms=20)
    overrides = source(kept, at_ms=19)
    before = overrides.ended

    overrides.take(kept, at_ms=25)
    ended = overrides.ended
    overrides.take(texts(a=1), at_ms=25)

    assert (before, ended, overrides.ended) == ({}, texts(b=1, until_ms=20), {})


def test_it_says_when_the_next_one_ends() -> None:
    kept = texts(a=1) | texts(b=1, until_ms=5000) | texts(c=1, until_ms=1500)

    waits = [source(kept, at_ms=at_ms).ends_in_s for at_ms in (500, 1500, 5000)]

    assert waits == [1.001, 3.501, float("inf")]


def test_an_earlier_moment_is_told_from_what_is_still_there() -> None:
    kept = texts(a=1, at_ms=10) | texts(b=1, at_ms=10, until_ms=20) | texts(c=1, at_ms=30)
    now = source(kept, at_ms=40)

    assert [now.as_of(at_ms).load().tree for at_ms in (5, 15, 25)] == [{}, {"a": 1, "b": 1}, {"a": 1}]


@pytest.mark.parametrize("outer", [{"size": 1}, {}, 1, None])
def test_of_two_overrides_inside_each_other_the_outer_counts(outer: Any) -> None:
    overrides = source(texts(pool=outer) | texts(pool__size=2, at_ms=9))

    assert overrides.load().tree == {"pool": outer}
    assert "it lies inside the override 'pool'" in overrides.problems["pool.size"]


def test_one_that_ended_keeps_none_inside_it_from_counting() -> None:
    kept = texts(pool={"size": 1}, until_ms=20) | texts(pool__size=2)
    overrides = source(kept, at_ms=10)
    before = overrides.load().tree, [*overrides.problems]

    overrides.take(kept, at_ms=20)

    assert before == ({"pool": {"size": 1}}, ["pool.size"])
    assert (overrides.load().tree, overrides.problems) == ({"pool": {"size": 2}}, {})
    assert [*overrides.ended] == ["pool"]


def test_what_is_no_override_is_left_out_and_told() -> None:
    good = texts(a=1)

    overrides = source(good | {"b": "{", "c[0]": good["a"], '["d"]': good["a"]})

    assert overrides.load().tree == {"a": 1}
    assert overrides.problems.keys() == {"b", "c[0]", '["d"]'}
    assert "its path is written d" in overrides.problems['["d"]']
    overrides.take(good, at_ms=10)
    assert overrides.problems == {}


def test_there_are_only_so_many() -> None:
    kept = texts(**{f"k{number}": number for number in range(MAX_COUNT + 2)})

    overrides = source(kept)

    assert len(overrides.load().tree) == MAX_COUNT
    assert len(overrides.problems) == 2


def test_a_variable_in_a_value_stays_as_it_is() -> None:
    assert source(texts(a="${HOME}")).load().tree == {"a": "${HOME}"}


@given(st.dictionaries(st.lists(keys, min_size=1, max_size=3).map(tuple), values, max_size=5))
def test_any_values_at_any_paths_make_a_layer_with_an_origin_for_all_of_it(by_path: dict[tuple[str, ...], Any]) -> None:
    kept = [Override(path=path, value=freeze(value), at_ms=1) for path, value in by_path.items()]

    overrides = source({each.name: each.text() for each in kept})
    layer = overrides.load()

    merged = merge([layer])
    assert merged.tree == layer.tree
    assert all(str(merged.origins[path]).startswith("override ") for path in merged.origins)
    assert len(layer.tree) == len({path[0] for path in by_path})


def test_a_source_that_remembers_begins_with_what_it_remembers() -> None:
    kept = texts(a=1)

    assert OverridesSource(kept).load().tree == {"a": 1}
    assert OverridesSource().load().tree == {}
