"""All conflicts of a merge at once, for `confbus check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import MergeConflict
from confbus_publisher.merge import conflicts, merge
from confbus_publisher.sources import DictSource

if TYPE_CHECKING:
    from confbus_publisher.layer import Layer

LEAVES = st.none() | st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2)
TREES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(LEAVES, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6),
    max_size=3,
)
LAYERS = st.lists(st.tuples(TREES, st.integers(0, 2)), max_size=4)


def layer(tree: dict[str, Any], *, priority: int = 0, name: str = "") -> Layer:
    return DictSource(tree, priority=priority, name=name).load()


def test_every_conflict_is_told_with_both_places() -> None:
    layers = [layer({"a": {"x": 1}, "b": 1}, name="below"), layer({"a": 1, "b": {"y": 2}}, name="above")]

    found = conflicts(layers)

    assert [(error.path, error.origin, error.other) for error in found] == [
        ("a", "below", "above"),
        ("b", "above", "below"),
    ]


def test_mappings_in_lists_never_conflict() -> None:
    layers = [layer({"a": [{"x": 1}]}), layer({"a": [1]})]

    assert conflicts(layers) == []


@given(LAYERS)
def test_there_are_conflicts_just_when_the_merge_raises_one_of_them(trees: list[tuple[dict[str, Any], int]]) -> None:
    layers = [layer(tree, priority=priority, name=str(at)) for at, (tree, priority) in enumerate(trees)]

    found = [str(error) for error in conflicts(layers)]

    assert (_refusal(layers) in found) if found else (_refusal(layers) == "")


def _refusal(layers: list[Layer]) -> str:
    try:
        merge(layers)
    except MergeConflict as error:
        return str(error)
    return ""
