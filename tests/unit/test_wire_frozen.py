"""Frozen values: nobody can change them, and everybody takes them for plain ones."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from confbus.wire.frozen import Frozen, FrozenList, freeze, thaw
from confbus.wire.snapshot import Snapshot
from support.documents import values

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN: dict[str, Any] = {"a": {"b": [1, {"c": None}]}, "d": 2.5}

MAPPING_CHANGES: list[Callable[[Any], object]] = [
    lambda it: it.__setitem__("a", 1),
    lambda it: it.__delitem__("a"),
    lambda it: it.__ior__({"x": 1}),
    lambda it: it.clear(),
    lambda it: it.pop("a"),
    lambda it: it.pop("nothing", None),
    lambda it: it.popitem(),
    lambda it: it.setdefault("x", 1),
    lambda it: it.update(x=1),
    lambda it: it.update({}),
]
LIST_CHANGES: list[Callable[[Any], object]] = [
    lambda it: it.__setitem__(0, 9),
    lambda it: it.__setitem__(slice(None), []),
    lambda it: it.__delitem__(0),
    lambda it: it.__iadd__([9]),
    lambda it: it.__imul__(2),
    lambda it: it.append(9),
    lambda it: it.extend([]),
    lambda it: it.insert(0, 9),
    lambda it: it.remove(1),
    lambda it: it.pop(),
    lambda it: it.clear(),
    lambda it: it.sort(),
    lambda it: it.reverse(),
]


def frozen_mappings() -> list[Frozen]:
    snapshot = Snapshot(freeze(PLAIN), version=1, revision=1, epoch="e", digest="0" * 64, at_ms=0)
    return [freeze(PLAIN), snapshot]


@pytest.mark.parametrize("mapping", frozen_mappings(), ids=["Frozen", "Snapshot"])
@pytest.mark.parametrize("change", MAPPING_CHANGES)
def test_a_mapping_refuses_every_change_and_names_thaw(mapping: Frozen, change: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=r"mapping.*thaw"):
        change(mapping)

    assert mapping == PLAIN


@pytest.mark.parametrize("change", LIST_CHANGES)
def test_a_list_refuses_every_change_and_names_thaw(change: Callable[[Any], object]) -> None:
    frozen = freeze([1, 2])

    with pytest.raises(TypeError, match=r"list.*thaw"):
        change(frozen)

    assert frozen == [1, 2]


@pytest.mark.parametrize("name", sorted({*dir(dict), *dir(list)} - set(dir(tuple)) - set(dir(frozenset))))
def test_no_mutator_of_a_later_python_is_forgotten(name: str) -> None:
    harmless = {"__class_getitem__", "__reversed__", "copy", "fromkeys", "get", "items", "keys", "values"}
    for kind, plain in ((Frozen, dict), (FrozenList, list)):
        if name not in dir(plain) or name in {*harmless, "__ror__", "__or__"}:
            continue

        assert getattr(kind, name) is not getattr(plain, name)


@given(value=values)
def test_a_frozen_value_equals_the_plain_one_and_thaws_to_it(value: Any) -> None:
    frozen = freeze(value)

    thawed = thaw(frozen)

    assert frozen == value == thawed
    assert repr(thawed) == repr(value)
    assert freeze(frozen) is frozen


@given(value=values)
def test_json_pickle_and_copy_take_it_as_it_is(value: Any) -> None:
    frozen = freeze(value)

    pickled = [pickle.loads(pickle.dumps(frozen, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]

    assert json.dumps(frozen) == json.dumps(value)
    assert all(each == value and type(each) is type(frozen) for each in pickled)
    assert copy.copy(frozen) is frozen
    assert copy.deepcopy(frozen) is frozen


@pytest.mark.parametrize("mapping", frozen_mappings(), ids=["Frozen", "Snapshot"])
def test_it_is_a_mapping_to_the_language(mapping: Frozen) -> None:
    def keywords(**given: Any) -> dict[str, Any]:
        return given

    matched: Any = None
    match mapping:
        case {"a": {"b": [first, *_]}, **rest}:
            matched = first, rest
        case _:
            pass

    assert matched == (1, {"d": 2.5})
    assert isinstance(mapping, dict)
    assert keywords(**mapping) == {**mapping} == dict(mapping) == mapping | {} == PLAIN
    assert dict.__eq__(PLAIN, mapping)
    assert json.dumps(mapping) == json.dumps(PLAIN)
    assert list(reversed(mapping["a"]["b"])) == [{"c": None}, 1]


def test_copies_can_be_changed() -> None:
    mapping, sequence = freeze({"a": 1}), freeze([1])

    copies = (mapping.copy(), dict(mapping), mapping | {"b": 2}, thaw(mapping))
    for each in copies:
        each["a"] = 2
    for other in (sequence.copy(), [*sequence, 2], sequence * 2, sequence[:], thaw(sequence)):
        other.append(3)

    assert (mapping, sequence) == ({"a": 1}, [1])


def test_thawing_is_deep() -> None:
    frozen = freeze({"a": [{"b": 1}]})

    thawed = thaw(frozen)
    thawed["a"][0]["b"] = 2
    thawed["a"].append(3)

    assert frozen == {"a": [{"b": 1}]}


def test_frozen_values_may_be_keys() -> None:
    one, same = freeze({"a": [1, 2]}), freeze({"a": [1, 2]})

    seen = {one: "here", one["a"]: "there"}

    assert (seen[same], seen[same["a"]]) == ("here", "there")


def test_tuples_freeze_to_lists() -> None:
    frozen = freeze({"a": (1, (2,))})

    assert frozen == {"a": [1, [2]]}
    assert type(frozen["a"][1]) is FrozenList
