"""The circuit breaker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from hypothesis import given
from hypothesis import strategies as st

from confbus_publisher.sources.remote.breaker import Breaker, State
from support.clock import Clock


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(failures=3, pause_s=60, clock=clock)
    for _ in range(3):
        breaker.fail()
    return breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(failures=3, pause_s=60, clock=Clock())

    for _ in range(2):
        breaker.fail()
    breaker.succeed()
    for _ in range(2):
        breaker.fail()
    before = breaker.state
    breaker.fail()

    assert before is State.CLOSED
    assert breaker.state is State.OPEN
    assert not breaker.admits()


def test_it_lets_nothing_through_until_the_pause_is_over() -> None:
    clock = Clock()
    breaker = opened(clock)

    clock.advance(59)
    waits_s, early = breaker.wait_s, breaker.admits()
    clock.advance(1)

    assert (waits_s, early) == (1, False)
    assert breaker.state is State.HALF_OPEN
    assert breaker.wait_s == 0


def test_exactly_one_of_many_threads_probes() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.advance(60)
    start = Barrier(8)

    def ask(_: int) -> bool:
        start.wait()
        return breaker.admits()

    with ThreadPoolExecutor(8) as pool:
        admitted = list(pool.map(ask, range(8)))

    assert sum(admitted) == 1


def test_a_probe_that_is_answered_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)

    clock.advance(60)
    is_probing = breaker.admits()
    breaker.succeed()

    assert is_probing
    assert breaker.state is State.CLOSED
    assert [breaker.admits(), breaker.admits()] == [True, True]


def test_a_probe_that_fails_begins_another_pause() -> None:
    clock = Clock()
    breaker = opened(clock)

    clock.advance(60)
    breaker.admits()
    breaker.fail()

    assert breaker.state is State.OPEN
    assert breaker.wait_s == 60


@given(st.lists(st.sampled_from(["ask", "succeed", "fail", "wait"]), max_size=40))
def test_whatever_happens_it_admits_again_after_a_pause(events: list[str]) -> None:
    clock = Clock()
    breaker = Breaker(failures=2, pause_s=10, clock=clock)

    for event in events:
        if event == "ask":
            breaker.admits()
        elif event == "succeed":
            breaker.succeed()
        elif event == "fail":
            breaker.fail()
        else:
            clock.advance(4)
    breaker.fail()
    clock.advance(10)

    assert breaker.admits()
