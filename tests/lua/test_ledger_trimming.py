"""What is kept and what goes: nothing in use is ever freed, and nothing unused stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fakeredis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confbus_publisher.ledger import Why
from confbus_publisher.ledger.inventory import GRACE_MS, MIN_HISTORY
from support.clock import Clock
from support.fake import fake_client
from support.places import MemoryPlace, Place, RedisPlace, encoded, ledger
from support.scale import scaled

if TYPE_CHECKING:
    from confbus_publisher.ledger import Ledger

ANN = Why("ann")
GRACE_S = GRACE_MS / 1000


def kept(place: Place) -> list[int]:
    return [release.version for release in ledger(place).history()]


def used(place: Place) -> set[str]:
    """The blobs that the kept releases name."""
    return {digest for release in ledger(place).history() for digest in release.manifest.sections.values()}


def publish_many(publisher: Ledger, clock: Clock, count: int, *, seconds_apart: float) -> None:
    for number in range(count):
        clock.advance(seconds_apart)
        publisher.publish(encoded({"a": {"b": clock.now_s}, "c": {"d": number}}), ANN)


@pytest.mark.parametrize(("history", "count"), [(1, MIN_HISTORY), (16, 16), (20, 20)])
def test_the_newest_releases_are_kept_and_sixteen_at_least(
    place: Place, clock: Clock, history: int, count: int
) -> None:
    publisher = ledger(place, clock=clock, history=history)

    publish_many(publisher, clock, 30, seconds_apart=GRACE_S + 1)

    assert kept(place) == list(range(30, 30 - count, -1))
    assert place.store().blob_names() == used(place)
    assert len(place.store().releases(range(1, 31))) == count


def test_releases_younger_than_ten_minutes_stay_however_many(place: Place, clock: Clock) -> None:
    publisher = ledger(place, clock=clock, history=1)
    publish_many(publisher, clock, 40, seconds_apart=1)
    assert len(kept(place)) == 40

    clock.advance(GRACE_S)
    publish_many(publisher, clock, 1, seconds_apart=1)

    assert kept(place) == list(range(41, 25, -1))
    assert place.store().blob_names() == used(place)


def test_what_was_published_before_the_clock_was_set_back_does_not_stay_for_ever(place: Place, clock: Clock) -> None:
    publisher = ledger(place, clock=clock, history=1)
    publish_many(publisher, clock, 3, seconds_apart=365 * 86_400)
    clock.advance(-3 * 365 * 86_400)

    publish_many(publisher, clock, 30, seconds_apart=GRACE_S + 1)

    assert kept(place) == list(range(33, 17, -1))
    assert place.store().blob_names() == used(place)


def test_a_change_of_the_head_alone_drops_nothing(place: Place, clock: Clock) -> None:
    publisher = ledger(place, clock=clock, history=1)
    publish_many(publisher, clock, 30, seconds_apart=1)
    clock.advance(GRACE_S * 2)

    publisher.resume([], ANN)

    assert len(kept(place)) == 30
    assert place.store().blob_names() == used(place)


def test_a_rollback_to_the_release_that_is_about_to_go_keeps_its_content(place: Place, clock: Clock) -> None:
    publisher = ledger(place, clock=clock, history=1)
    publish_many(publisher, clock, MIN_HISTORY, seconds_apart=GRACE_S + 1)
    clock.advance(GRACE_S * 2)
    oldest = publisher.release(1)

    restored = publisher.rollback(oldest, ANN)

    assert 1 not in kept(place)
    assert publisher.blobs(restored.manifest).keys() == set(oldest.manifest.sections.values())
    assert place.store().blob_names() == used(place)


def test_a_publisher_that_knows_nothing_trims_as_one_that_knows(place: Place, clock: Clock) -> None:
    for _ in range(30):
        publish_many(ledger(place, clock=clock, history=16), clock, 1, seconds_apart=GRACE_S + 1)

    assert kept(place) == list(range(30, 14, -1))
    assert place.store().blob_names() == used(place)


def test_one_commit_drops_a_bounded_number_and_the_next_ones_the_rest(place: Place, clock: Clock) -> None:
    publisher = ledger(place, clock=clock, history=1)
    publish_many(publisher, clock, 120, seconds_apart=0)
    clock.advance(GRACE_S * 2)

    sizes: list[int] = []
    for _ in range(3):
        publish_many(publisher, clock, 1, seconds_apart=1)
        sizes.append(len(kept(place)))

    assert sizes == [57, 16, 16]
    assert place.store().blob_names() == used(place)


steps = st.sampled_from(["publish"] * 6 + ["rollback"] * 2 + ["wait"] * 4 + ["restart", "resume", "anchor"])
waits = st.sampled_from([1.0, 200.0, GRACE_S + 1, 2000.0])
timelines = st.lists(st.tuples(steps, st.integers(0, 6), st.integers(0, 20), waits), min_size=40, max_size=80)
wild_timelines = st.lists(
    st.tuples(steps, st.integers(0, 6), st.integers(0, 20), waits | waits.map(lambda seconds: -seconds)), min_size=30
)
Timeline = list[tuple[str, int, int, float]]


def take(publisher: Ledger, clock: Clock, what: str, *, one: int, other: int, seconds: float) -> None:
    """One step of a timeline."""
    state = publisher.refresh()
    if what == "wait":
        clock.advance(seconds)
    elif what == "publish" or not state:
        publisher.publish(encoded({"a": {"n": one}, "b": {"n": other}, "c": 1}), ANN)
    elif what == "rollback":
        history = publisher.history()
        publisher.rollback(history[other % len(history)], ANN)
    elif what == "resume":
        publisher.resume([], ANN)
    elif what == "anchor":
        publisher.anchor(state, ANN)


def hold(place: Place, timeline: Timeline, clock: Clock) -> None:
    """Live through a timeline, and look after each step."""
    publisher, watcher = ledger(place, clock=clock, history=1), ledger(place)
    went_back = False
    try:
        for what, one, other, seconds in timeline:
            if what == "restart":
                publisher.store.close()
                publisher = ledger(place, clock=clock, history=1)
            take(publisher, clock, what, one=one, other=other, seconds=seconds)
            went_back = went_back or seconds < 0

            history = watcher.history()
            there = watcher.store.blob_names()
            needed = {digest for release in history for digest in release.manifest.sections.values()}
            assert there >= needed
            assert there == needed or went_back
            assert len(history) >= min(history[0].version if history else 0, MIN_HISTORY)
    finally:
        publisher.store.close()
        watcher.store.close()


@pytest.mark.slow  # so that it is part of the soak, at full size
@settings(max_examples=scaled(30, 1000), deadline=None)
@given(timeline=timelines)
def test_nothing_in_use_is_freed_and_nothing_unused_stays_in_memory(timeline: Timeline) -> None:
    clock = Clock()

    hold(MemoryPlace(clock=clock), timeline, clock)


@pytest.mark.slow  # so that it is part of the soak, at full size
@settings(max_examples=scaled(30, 1000), deadline=None)
@given(timeline=wild_timelines)
def test_nothing_in_use_is_freed_when_the_clock_goes_back(timeline: Timeline) -> None:
    clock = Clock()

    hold(MemoryPlace(clock=clock), timeline, clock)


@pytest.mark.slow
@settings(max_examples=scaled(5, 150), deadline=None)
@given(timeline=timelines)
def test_nothing_in_use_is_freed_and_nothing_unused_stays_in_fakeredis(timeline: Timeline) -> None:
    server: Any = fakeredis.FakeServer()

    def connect() -> Any:
        return fake_client(server)

    hold(RedisPlace(connect(), "timeline", connect), timeline, Clock())


@pytest.mark.slow
@settings(max_examples=scaled(4, 150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(timeline=timelines)
def test_nothing_in_use_is_freed_and_nothing_unused_stays_on_a_server(
    server_place: RedisPlace, timeline: Timeline
) -> None:
    server_place.client.flushdb()

    hold(server_place, timeline, Clock())
