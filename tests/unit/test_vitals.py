"""Whether a publisher lives, and whether it is ready: as others see it, without asking it."""

from __future__ import annotations

import json

import pytest

from confbus_publisher.vitals import LATE_S, Vitals
from support.clock import Clock
from support.vital import WHERE, VitalPublisher


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_it_is_ready_once_it_merged_and_redis_answered_and_not_while_redis_is_away(clock: Clock) -> None:
    site = VitalPublisher(clock)
    fresh = site.vitals.readiness()
    site.publisher.turn()
    at_work = site.vitals.readiness()
    site.store.is_away = True
    site.publisher.turn()

    assert fresh == {"status": "unready", "reason": "it took no turn yet", "state": "starting", "is_active": False}
    assert at_work == {"status": "ready", "state": "in step", "is_active": True}
    assert site.vitals.readiness()["reason"].startswith("unreachable: Redis at ")
    assert site.vitals.readiness()["reason"].count("unreachable") == 1
    assert site.vitals.health()["status"] == "healthy"


def test_whoever_stands_by_is_ready(clock: Clock) -> None:
    active = VitalPublisher(clock)
    active.publisher.turn()
    standby = VitalPublisher(clock, active.store, name="bob")

    standby.publisher.turn()

    assert standby.vitals.readiness() == {"status": "ready", "state": "standby", "is_active": False}


def test_whoever_never_could_merge_its_sources_is_not_ready_and_stays_alive(clock: Clock) -> None:
    site = VitalPublisher(clock)
    site.fail()

    site.publisher.turn()

    assert site.vitals.readiness()["status"] == "unready"
    assert "the limit is 1" in site.vitals.readiness()["reason"]
    assert site.vitals.health()["status"] == "healthy"


def test_a_loop_that_does_not_turn_is_unhealthy_from_the_first_turn_on(clock: Clock) -> None:
    site = VitalPublisher(clock)
    clock.advance(LATE_S)
    in_time = site.vitals.health()["status"]
    clock.advance(1.0)
    never = site.vitals.health()

    due_in_s = site.publisher.turn()
    clock.advance(due_in_s + LATE_S)
    sleeping = site.vitals.health()["status"]
    clock.advance(1.0)

    assert (in_time, sleeping) == ("healthy", "healthy")
    assert (never["status"], never["reason"]) == ("unhealthy", "the loop did not turn for 61 s")
    assert site.vitals.health()["status"] == "unhealthy"


def test_the_status_tells_where_it_stands_and_no_value(clock: Clock) -> None:
    site = VitalPublisher(clock)
    site.publisher.turn()

    said = site.vitals.status()

    head = said.pop("head")
    assert said == {
        "namespace": "shop",
        "url": WHERE,
        "instance": "ann",
        "state": "in step",
        "why": "",
        "is_active": True,
        "is_ready": True,
        "warnings": [],
        "failures": {},
        "guards": {"passed": 0, "rolled_back": 0, "failed": 0},
        "late_s": 0.0,
        "up_s": 0.0,
    }
    assert (head["version"], head["author"]) == (1, "ann")
    assert "hunter2" not in json.dumps([said, head])


def test_before_there_is_a_publisher_it_says_so() -> None:
    vitals = Vitals("shop")

    assert vitals.health()["status"] == "healthy"
    assert vitals.readiness()["status"] == "unready"
    assert vitals.status()["head"] is None
