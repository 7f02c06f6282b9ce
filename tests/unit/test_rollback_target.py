"""How far back a rollback by steps goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import NoRelease
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.ledger.rollback import target
from support.places import encoded

if TYPE_CHECKING:
    from confbus.wire.release import Release

A, B, C, D = ({"letter": letter} for letter in "ABCD")
ANN = Why("ann")


class Line:
    """A namespace in memory, whose head moves as it is told."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.ledger = Ledger(MemoryStore())
        for document in documents:
            self.publish(document)

    def publish(self, document: dict[str, Any]) -> None:
        self.ledger.publish(encoded(document), ANN)

    def target(self, *, steps: int = 1, without: tuple[int, ...] = ()) -> Release:
        kept = [release for release in self.ledger.history() if release.version not in without]
        state = self.ledger.state
        assert state
        return target(state, kept, steps=steps)

    def rollback(self, *, steps: int = 1) -> None:
        self.ledger.rollback(self.target(steps=steps), ANN)

    @property
    def digest(self) -> str:
        state = self.ledger.state
        assert state
        return state.release.digest


def digest(document: dict[str, Any]) -> str:
    return encoded(document).manifest.digest


def test_one_step_leads_to_the_content_before() -> None:
    line = Line(A, B)

    found = line.target()

    assert found.version == 1


def test_a_rollback_of_a_rollback_never_leads_forth_again() -> None:
    line = Line(A, B)

    line.rollback()

    with pytest.raises(NoRelease, match="no earlier accepted release"):
        line.target()


def test_a_second_rollback_goes_further_back() -> None:
    line = Line(A, B, C)

    line.rollback()
    line.rollback()

    assert line.digest == digest(A)


def test_steps_count_contents_and_not_releases() -> None:
    line = Line(A, B, B, C, B, D)

    found = [line.target(steps=steps).digest for steps in (1, 2, 3)]

    assert found == [digest(B), digest(C), digest(A)]


def test_what_was_rolled_back_is_passed_over_later_too() -> None:
    line = Line(A, B)
    line.rollback()
    line.publish(C)

    line.rollback()

    assert line.digest == digest(A)


def test_more_steps_than_there_are_contents_are_refused_with_their_number() -> None:
    line = Line(A, B, C)

    with pytest.raises(NoRelease, match="Only 2 earlier accepted releases are kept"):
        line.target(steps=3)


def test_the_walk_begins_at_the_head_when_its_first_release_is_gone() -> None:
    line = Line(A, B, C, D)
    line.ledger.rollback(line.ledger.release(1), ANN)

    found = line.target(without=(1,))

    assert found.digest == digest(C)


def test_a_number_that_came_again_after_a_loss_is_no_origin() -> None:
    line = Line(A, B, C)
    state = line.ledger.state
    assert state
    stranger = replace(state, release=replace(state.release, of=1))

    found = target(stranger, line.ledger.history(), steps=1)

    assert found.version == 2


def test_a_release_that_names_itself_as_its_parent_ends_the_walk() -> None:
    line = Line(A)
    state = line.ledger.state
    assert state
    circle = replace(state.release, parent=1)

    with pytest.raises(NoRelease):
        target(state, [circle], steps=1)


@given(st.lists(st.sampled_from("ABCD") | st.just("rollback"), max_size=12))
def test_rollbacks_alone_never_show_a_content_twice(moves: list[str]) -> None:
    line = Line(A)
    for move in moves:
        try:
            line.rollback() if move == "rollback" else line.publish({"letter": move})
        except NoRelease:
            continue

    seen = [line.digest]
    while True:
        try:
            line.rollback()
        except NoRelease:
            break
        seen.append(line.digest)

    assert len(seen) == len(set(seen)) <= 4
