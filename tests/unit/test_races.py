"""A publisher that is outdone again and again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from support.clock import Clock
from support.vital import VitalPublisher

if TYPE_CHECKING:
    import pytest


def test_a_head_that_cannot_be_read_is_told_once_and_not_asked_for_without_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    first = VitalPublisher(clock)
    first.publisher.turn()
    first.store.drop_lease("ann")
    heir = VitalPublisher(clock, first.store, name="bob")
    first.store.is_damaged = True
    caplog.clear()

    due_in_s = [heir.publisher.turn() for _ in range(8)]

    assert due_in_s[:5] == [0.0] * 5
    assert min(due_in_s[5:]) > 0
    assert heir.publisher.standing.state == "refused"
    assert "'digest' is malformed" in heir.publisher.standing.why
    said = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert said == ["the head is damaged", "active", "somebody else was faster", "refused"]


def test_whoever_finds_the_head_readable_again_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    first = VitalPublisher(clock)
    first.publisher.turn()
    first.store.drop_lease("ann")
    heir = VitalPublisher(clock, first.store, name="bob")
    first.store.is_damaged = True
    for _ in range(8):
        heir.publisher.turn()

    first.store.is_damaged = False
    heir.publisher.turn()

    assert heir.publisher.standing.state == "in step"
