"""When a follower tells the fleet where it stands."""

from __future__ import annotations

import pytest

from confbus import events
from confbus.wire.notice import HINT
from support.lone_follower import LoneFollower


@pytest.fixture
def lone() -> LoneFollower:
    """A follower that serves version 1, and reported it a while ago."""
    lone = LoneFollower()
    lone.publish(db={"n": 1})
    lone.follow()
    return lone


def test_a_change_is_reported_at_once(lone: LoneFollower) -> None:
    lone.publish(db={"n": 2})

    told = lone.hear()

    assert told == ["Apply", "Report"]


def test_a_first_release_that_is_refused_is_reported_at_once() -> None:
    lone = LoneFollower()
    lone.refusing = {lone.publish(db={"n": 1}).digest}

    told = lone.tell(events.Ticked())

    assert told[-2:] == ["FindAccepted", "Report"]


def test_changes_in_a_row_are_reported_together(lone: LoneFollower) -> None:
    told: list[str] = []

    for number in range(2, 12):
        lone.publish(db={"n": number})
        told += lone.hear()
        told += lone.wait(0.01)
    told += lone.wait(lone.follower.timing.report_gap_s)

    assert told.count("Apply") == 10
    assert told.count("Report") == 2
    assert told[-1] == "Report"


def test_without_news_there_is_one_report_an_interval(lone: LoneFollower) -> None:
    told = lone.wait(10 * lone.follower.timing.report_s)

    assert told.count("Report") == 10


def test_an_instance_that_is_stuck_repeats_itself_with_each_poll(lone: LoneFollower) -> None:
    lone.store.put_head(None)

    told = lone.wait(61)

    assert 10 <= told.count("Report") <= 13


def test_nothing_is_reported_to_a_server_that_did_not_answer(lone: LoneFollower) -> None:
    lone.is_reachable = lone.is_acking = False
    lone.hear(HINT)

    told = lone.tell(events.LinkLost("reset")) + lone.wait(20)

    assert "Report" not in told


def test_a_lost_subscription_is_reported_once_the_server_answers(lone: LoneFollower) -> None:
    lone.is_acking = False

    told = lone.tell(events.LinkLost("reset"))

    assert told == ["Report"]
    assert lone.follower.state == "reconnecting"
