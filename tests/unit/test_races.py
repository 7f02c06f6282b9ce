"""A publisher that is outdone again and again."""

from __future__ import annotations

import logging

import pytest

from support.clock import Clock
from support.vital import VitalPublisher


@pytest.fixture
def heir(caplog: pytest.LogCaptureFixture) -> VitalPublisher:
    """One that knows nothing, before the damaged head of another one that is gone."""
    caplog.set_level(logging.INFO)
    clock = Clock()
    first = VitalPublisher(clock)
    first.publisher.turn()
    first.store.drop_lease("ann")
    first.store.is_damaged = True
    caplog.clear()
    return VitalPublisher(clock, first.store, name="bob")


def test_a_head_that_cannot_be_read_is_told_once_and_not_asked_for_without_end(
    heir: VitalPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    due_in_s = [heir.publisher.turn() for _ in range(8)]

    assert due_in_s[:5] == [0.0] * 5
    assert min(due_in_s[5:]) > 0
    assert heir.publisher.standing.state == "refused"
    assert "'digest' is malformed" in heir.publisher.standing.why
    said = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert said == ["the head is damaged", "active", "somebody else was faster", "refused"]


def test_whoever_finds_the_head_readable_again_goes_on(heir: VitalPublisher) -> None:
    for _ in range(8):
        heir.publisher.turn()

    heir.store.is_damaged = False
    heir.publisher.turn()

    assert heir.publisher.standing.state == "in step"
