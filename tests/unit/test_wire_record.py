"""Records are dataclasses to everybody: what they promise is what `dataclass(frozen=True, slots=True)` promises."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from confbus.wire.record import field, record, replace


@record(frozen=True, slots=True)
class Place:
    x: int
    y: int = 0
    names: list[str] = field(default_factory=list[str])
    secret: str = field(default="", repr=False)


@record(slots=True)
class Count:
    ones: int = 0
    twos: int = field(init=False, default=2)


@record(frozen=True, slots=True)
class Checked:
    """One that looks at what it is given."""

    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError(self.value)

    @property
    def double(self) -> int:
        return 2 * self.value


@record(frozen=True, slots=True)
class Nothing:
    """One without fields."""


def test_records_are_made_of_arguments_and_defaults() -> None:
    assert Place(1, y=2) == Place(1, 2, [], "")
    assert Place(1).names is not Place(1).names
    assert Checked(3).double == 6
    assert Nothing() == Nothing()
    assert Count().twos == 2
    with pytest.raises(TypeError):
        Place()  # type: ignore[call-arg]  # that is the test
    with pytest.raises(TypeError):
        Place(1, z=2)  # type: ignore[call-arg]  # that is the test
    with pytest.raises(ValueError, match="-1"):
        Checked(-1)


def test_a_frozen_record_cannot_be_changed_and_a_changeable_one_can() -> None:
    place, count, anything = Place(1), Count(), "anything"
    held: Any = place

    with pytest.raises(AttributeError, match="cannot be changed: 'x'"):
        place.x = 2  # type: ignore[misc]  # that is the test
    with pytest.raises(AttributeError):
        setattr(place, anything, 2)
    with pytest.raises(AttributeError):
        del held.x
    with pytest.raises(AttributeError):
        setattr(count, anything, 2)
    count.ones += 1

    assert (place.x, count.ones) == (1, 1)


def test_equal_records_have_equal_hashes_and_other_kinds_are_never_equal() -> None:
    assert len({Checked(1), Checked(1), Checked(2)}) == 2
    others: list[object] = [Place(1), 1, None]
    assert Checked(1) not in others
    with pytest.raises(TypeError, match="unhashable"):
        hash(Count())


def test_a_record_shows_its_fields_but_for_hidden_ones() -> None:
    assert repr(Place(1, secret="s3cret")) == "Place(x=1, y=0, names=[])"
    assert repr(Nothing()) == "Nothing()"


def test_a_record_is_copied_pickled_and_replaced() -> None:
    place = Place(1, 2, ["a"], "s")

    copies: list[Any] = [copy.copy(place), copy.deepcopy(place), pickle.loads(pickle.dumps(place)), replace(place)]

    assert copies == [place] * 4
    assert replace(place, y=3) == Place(1, 3, ["a"], "s")
    assert place.y == 2


def test_a_record_matches_by_the_order_of_its_fields() -> None:
    match Place(1, 2):
        case Place(x, y):
            assert (x, y) == (1, 2)


def test_dataclasses_takes_a_record_for_one_of_its_own() -> None:
    place = Place(1, 2, ["a"])

    assert dataclasses.is_dataclass(place)
    assert [each.name for each in dataclasses.fields(place)] == ["x", "y", "names", "secret"]
    assert dataclasses.asdict(place) == {"x": 1, "y": 2, "names": ["a"], "secret": ""}
    assert dataclasses.replace(place, x=4) == Place(4, 2, ["a"])
