"""What a publisher tells of sources that differ from the head."""

from __future__ import annotations

from typing import Any

from confbus_publisher.divergence import Divergence
from confbus_publisher.ledger import State, state_of
from support.clock import Clock
from support.places import encoded


def state(**tree: Any) -> State:
    return state_of(encoded(tree))


def test_the_paths_are_told_and_no_value_is() -> None:
    there, mine = state(a=1, gone=2, db={"host": "h-1", "port": 1}), encoded({"a": 1, "db": {"host": "h-2", "port": 1}})

    told = Divergence().between(there, mine)

    assert told == "its sources differ from the head, as `confbus plan` there shows: -gone ~db.host"


def test_the_same_content_is_no_difference() -> None:
    assert Divergence().between(state(a=1), encoded({"a": 1})) == ""


def test_of_many_paths_the_first_are_told_and_the_others_counted() -> None:
    told = Divergence().between(state(), encoded({f"k{number:02}": {"a": number} for number in range(50)}))

    assert told.endswith("+k06 +k07 and 42 more")


def test_a_difference_that_shall_last_is_told_when_it_did() -> None:
    clock = Clock()
    divergence, there, mine = Divergence(clock=clock), state(a=1), encoded({"a": 2})

    told = [divergence.between(there, mine, for_s=10)]
    clock.advance(10)
    told += [divergence.between(there, mine, for_s=10), divergence.between(there, encoded({"a": 3}), for_s=10)]

    assert [bool(each) for each in told] == [False, True, False]
