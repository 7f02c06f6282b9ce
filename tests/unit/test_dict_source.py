"""A mapping from Python as a source."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import math
import types
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidDocument
from confbus.wire.frozen import Frozen, FrozenList
from confbus_publisher.origin import Origin
from confbus_publisher.sources import DictSource

if TYPE_CHECKING:
    from confbus.wire.path import Path


class Level(enum.StrEnum):
    LOW = "low"


class Size(enum.IntEnum):
    SMALL = 1


class OldLevel(str, enum.Enum):  # noqa: UP042 — people still have them, and their str() is another one
    LOW = "low"


def endless() -> dict[str, Any]:
    inner: dict[str, Any] = {}
    inner["again"] = inner
    return inner


def exploding() -> dict[str, Any]:
    value: list[Any] = ["x"]
    for _ in range(8):
        value = [value] * 10
    return {"a": value}


NASTY: dict[str, tuple[dict[Any, Any], str, str]] = {
    "NaN": ({"a": {"b": [1, math.nan]}}, "a.b[1]", "NaN and infinity"),
    "infinity": ({"a": -math.inf}, "a", "NaN and infinity"),
    "large": ({"a": 2**64}, "a", "does not fit in 64 bits"),
    "small": ({"a": -(2**63) - 1}, "a", "does not fit in 64 bits"),
    "number as key": ({"a": {8080: 1}}, "a", 'Write "8080"'),
    "null as key": ({"a": {None: 1}}, "a", "of type NoneType"),
    "set": ({"a": {1, 2}}, "a", "a set is no configuration value"),
    "date": ({"a": dt.date(2024, 1, 1)}, "a", "a date is no"),
    "datetime": ({"a": dt.datetime.now(dt.UTC)}, "a", "a datetime is no"),
    "decimal": ({"a": decimal.Decimal(1)}, "a", "a Decimal is no"),
    "bytes": ({"a": b"x"}, "a", "a bytes is no"),
    "half a character": ({"a": ["\ud800"]}, "a[0]", "half a character"),
    "half a character as key": ({"a": {"\ud800": 1}}, "a", "half a character"),
    "endless": (endless(), "again.again", "deeper than 100"),
    "exploding": (exploding(), "a", "more than 1,000,000 values"),
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case == "exploding" else ()) for case in NASTY]
)
def test_what_no_document_can_hold_is_refused_with_its_path(case: str) -> None:
    tree, path, reason = NASTY[case]

    with pytest.raises(InvalidDocument) as caught:
        DictSource(tree, name="defaults")

    assert str(caught.value).startswith(f"defaults: {path}")
    assert reason in str(caught.value)


def test_subclasses_become_plain_values() -> None:
    tree = {"a": Level.LOW, "b": OldLevel.LOW, "c": Size.SMALL, "d": types.MappingProxyType({"e": (1, 2)}), "f": True}

    layer = DictSource(tree).load()

    assert repr(layer.tree) == repr({"a": "low", "b": "low", "c": 1, "d": {"e": [1, 2]}, "f": True})
    assert type(layer.tree["d"]) is Frozen
    assert type(layer.tree["d"]["e"]) is FrozenList


def test_a_later_change_of_the_mapping_changes_nothing() -> None:
    tree = {"a": [1]}
    source = DictSource(tree, priority=3)
    before = source.load()

    tree["a"].append(2)

    assert source.load() is before
    assert before.tree == {"a": [1]}
    assert (before.source, before.priority, source.watched) == ("dict", 3, ())


def test_every_origin_is_the_name_unless_one_is_given() -> None:
    origins: dict[Path, Origin] = {("a",): Origin(file="confbus.yaml", line=4, column=5)}

    layer = DictSource({"a": {"b": 1}, "c": {}}, name="defaults", origins=origins).load()

    assert {path: str(origin) for path, origin in layer.origins.items()} == {
        (): "defaults",
        ("a",): "confbus.yaml:4:5",
        ("a", "b"): "defaults",
        ("c",): "defaults",
    }
