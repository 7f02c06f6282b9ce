"""What an expansion remembers: the same goes in, the very same comes out."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confbus.errors import InvalidDocument
from confbus.wire import codec
from confbus.wire.frozen import Frozen, freeze, thaw
from confbus_publisher.expansion.expander import Expanded, Expander
from confbus_publisher.expansion.file_roots import FileRoots
from confbus_publisher.origin import Origin
from support.scale import scaled

if TYPE_CHECKING:
    from pathlib import Path


def expand(expander: Expander, tree: Frozen) -> Expanded:
    return expander.expand(tree, origin=lambda _path: Origin(source="here"), interpolates=lambda _path: True)


def document(**sections: Any) -> Frozen:
    return Frozen(freeze(sections))


def test_nothing_to_expand_gives_the_tree_itself() -> None:
    tree = document(a={"b": "$5", "c": ["${"[:1]]}, d=1)

    expanded = expand(Expander(variables={}), tree)

    assert expanded.tree is tree
    assert expanded.steps == {}


def test_only_what_changed_is_another_object() -> None:
    variables = {"A": "1", "B": '{"x": 1}'}
    expander = Expander(variables=variables)
    tree = document(plain={"x": [1]}, a={"deep": {"v": "${A}"}, "far": {"w": "${A}"}}, b={"v": "${B}", "r": "${ref:a}"})
    first = expand(expander, tree).tree

    variables["A"] = "2"
    second = expand(expander, Frozen(tree)).tree
    variables["A"] = "1"
    third = expand(expander, Frozen({**tree, "b": freeze({"v": "${B}"})})).tree

    assert first["plain"] is second["plain"] is tree["plain"]
    assert (first["a"]["deep"]["v"], second["a"]["deep"]["v"]) == (1, 2)
    assert second["b"]["v"] is first["b"]["v"] is third["b"]["v"]
    assert second["b"]["r"] == second["a"]


def test_sections_that_are_made_of_the_same_are_the_same_objects() -> None:
    variables = {"A": "1", "B": "[1]", "C": "1"}
    expander = Expander(variables=variables)
    tree = document(a={"v": "${A}"}, b={"v": "${B}", "r": "${ref:a.v}"}, c={"v": "${C}"})
    first = expand(expander, tree)

    same = expand(expander, tree)
    again = expand(expander, Frozen(tree))
    variables["C"] = "1.0"
    changed = expand(expander, Frozen(tree))

    assert same is first
    assert [again.tree[key] is first.tree[key] for key in "abc"] == [True, True, True]
    assert [changed.tree[key] is first.tree[key] for key in "abc"] == [True, True, False]


def test_a_changed_variable_or_file_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("a")
    variables = {"A": "1"}
    expander = Expander(FileRoots([tmp_path], base=tmp_path), variables=variables)
    tree = document(a="${A}", pw="${file:pw}", default="${B:0}")
    seen = [expand(expander, tree).tree, expander.is_current()]

    variables["B"] = "1"
    seen += [expander.is_current(), expand(expander, tree).tree, expander.is_current()]
    (tmp_path / "pw").write_text("b")
    seen += [expander.is_current(), expand(expander, tree).tree]

    assert seen == [
        {"a": 1, "pw": "a", "default": 0},
        True,
        False,
        {"a": 1, "pw": "a", "default": 1},
        True,
        False,
        {"a": 1, "pw": "b", "default": 1},
    ]
    assert expander.watched == (tmp_path,)


def test_a_file_that_failed_is_watched_and_its_coming_is_noticed(tmp_path: Path) -> None:
    expander = Expander(FileRoots([tmp_path], base=tmp_path), variables={})
    tree = document(pw="${file:mounted/pw}")
    errors = expand(expander, tree).errors
    was_current = expander.is_current()

    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "pw").write_text("hunter2")

    assert "No such file" in errors[0].reason
    assert was_current
    assert not expander.is_current()
    assert tmp_path / "mounted" in expander.watched
    assert expand(expander, tree).tree == {"pw": "hunter2"}


def test_neither_an_expander_nor_its_answer_shows_a_value() -> None:
    expander = Expander(variables={"A": "hunter2"})

    expanded = expand(expander, document(a="${A}", b="${C:hunter2}"))

    assert "hunter2" not in repr(expanded)
    assert "hunter2" not in repr(expander)


names = st.sampled_from(["a", "b", "a.a", "b[0]", "b[1].a", "c", ""])
texts = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "x"]),
    st.builds("${{ref:{}}}".format, names)
    | st.sampled_from(["${A}", "${B:{}}", "$${A}", "${N}", "${A:-1}", "${", "y"]),
    st.sampled_from(["", "", "${A}"]),
)
values = st.recursive(
    texts | st.integers(0, 2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=scaled(test=80, soak=5_000), deadline=None)
@given(
    trees=st.lists(st.dictionaries(st.sampled_from("abc"), values, max_size=3), min_size=1, max_size=3),
    a=st.sampled_from(["1", "x", "[1]", "${A}", "{"]),
)
def test_whatever_refers_to_whatever_it_is_expanded_or_refused_with_or_without_memory(trees: Any, a: str) -> None:
    variables = {"A": a}
    remembering = Expander(variables=variables)

    for tree in trees:
        frozen = Frozen(freeze(tree))
        fresh, known = expand(Expander(variables=variables), frozen), expand(remembering, Frozen(frozen))

        assert repr(thaw(fresh.tree)) == repr(thaw(known.tree))
        assert [str(error) for error in fresh.errors] == [str(error) for error in known.errors]
        with contextlib.suppress(InvalidDocument):
            codec.encode(fresh.tree)
        assert frozen == tree


def test_an_answer_for_another_type_is_not_kept() -> None:
    expander = Expander(variables={"A": "1"})
    first = expand(expander, document(a="${ref:b}", b=1))

    second = expand(expander, document(a="${ref:b}", b=True))

    assert (repr(first.tree["a"]), repr(second.tree["a"])) == ("1", "True")


@pytest.mark.parametrize("sections", [1, 200])
def test_many_references_are_expanded_together(sections: int) -> None:
    tree = document(
        **{
            f"s{one}": {f"k{other}": "${A}-${ref:base.name}" for other in range(2000 // sections)}
            for one in range(sections)
        },
        base={"name": "x"},
    )

    expanded = expand(Expander(variables={"A": "1"}), tree)

    assert len(expanded.steps) == 2000
    assert expanded.tree["s0"]["k0"] == "1-x"
