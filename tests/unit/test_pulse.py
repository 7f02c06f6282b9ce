"""The life of the subscription's connection."""

from __future__ import annotations

from random import Random

import pytest

from confbus import events
from confbus.pulse import Pulse
from confbus.timing import Timing
from support.lone_follower import LoneFollower

TIMING = Timing(ping_s=5, silence_s=15, backoff_s=0.1, max_backoff_s=10)


@pytest.fixture
def pulse() -> Pulse:
    """A connection that was acknowledged at 100."""
    pulse = Pulse(TIMING, Random(1))
    pulse.acked(100)
    return pulse


def words(actions: list[events.Action]) -> list[str]:
    return [type(action).__name__ for action in actions]


def test_a_new_pulse_connects_at_once() -> None:
    pulse = Pulse(TIMING, Random(1))

    assert pulse.wake_at() <= 0
    assert words(pulse.beat(0)) == ["Connect"]
    assert words(pulse.beat(0)) == []


def test_a_connection_that_is_never_acknowledged_is_made_again() -> None:
    pulse = Pulse(TIMING, Random(1))
    pulse.beat(0)

    assert pulse.wake_at() == 15
    assert words(pulse.beat(15)) == ["Connect"]


def test_a_quiet_connection_is_pinged(pulse: Pulse) -> None:
    assert words(pulse.beat(104.9)) == []
    assert words(pulse.beat(105)) == ["Ping"]
    assert words(pulse.beat(105)) == []
    assert words(pulse.beat(110)) == ["Ping"]


def test_a_sign_of_life_postpones_the_ping(pulse: Pulse) -> None:
    pulse.heard(104)

    assert pulse.wake_at() == 109


def test_a_connection_is_silent_when_nothing_came_for_long_though_it_was_pinged(pulse: Pulse) -> None:
    pulse.beat(105)
    pulse.beat(110)

    assert not pulse.is_silent(114.9)
    assert pulse.is_silent(115)
    assert words(pulse.renew(115)) == ["Connect"]
    assert not pulse.is_silent(1000)


def test_waits_between_attempts_are_random_and_their_limit_doubles() -> None:
    waits: list[list[float]] = []
    for seed in range(200):
        pulse = Pulse(TIMING, Random(seed))
        waits.append([])
        for _ in range(9):
            pulse.lost(0)
            waits[-1].append(pulse.wake_at())

    limits = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]
    for attempt, limit in enumerate(limits):
        column = [wait[attempt] for wait in waits]
        assert max(column) <= limit
        assert max(column) > 0.9 * limit
        assert min(column) < 0.1 * limit


def test_a_server_that_acknowledges_and_hangs_up_is_not_hammered(pulse: Pulse) -> None:
    limits: list[float] = []

    for _ in range(8):
        pulse.acked(0)
        pulse.lost(0)
        limits.append(pulse.wake_at())

    assert max(limits) > 1


def test_a_sign_of_life_makes_the_next_attempt_quick_again(pulse: Pulse) -> None:
    for _ in range(10):
        pulse.lost(0)

    pulse.acked(0)
    pulse.heard(0)
    pulse.lost(0)

    assert pulse.wake_at() <= 0.1


def test_a_follower_makes_a_silent_connection_new_and_says_why() -> None:
    lone = LoneFollower(TIMING)
    lone.publish(db={"n": 1})
    lone.follow()

    told: list[str] = []
    while lone.now_s < 1016:
        lone.now_s = max(lone.now_s, lone.follower.wake_at())
        told += lone.tell(events.Ticked())

    assert told.count("Ping") == 2
    assert told.count("Connect") == 1
    assert lone.follower.counts.reconnects == 1
    assert "no sign of life for 15 s" in lone.follower.error


def test_a_follower_leaves_a_connection_alone_that_answers() -> None:
    lone = LoneFollower(TIMING)
    lone.follow()

    told = lone.wait(300)

    assert "Connect" not in told
    assert told.count("Ping") >= 50
