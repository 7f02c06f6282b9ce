"""What callbacks do to others: nothing, however slow, broken or gone they are."""

from __future__ import annotations

import gc
import sys
import threading
from asyncio import CancelledError
from typing import TYPE_CHECKING

import pytest

from support.eventually import eventually
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus import Change, Subscriber
    from support.bus import Bus

PATH = "web.number"


@pytest.fixture
def config(bus: Bus) -> Subscriber:
    """A worker's configuration, which says 1."""
    bus.publish(1)
    return bus.worker().config


class Calls:
    """A callback that notes the steps it was told of, from old to new. While `gate` is shut, it hangs."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, changes: list[Change]) -> None:
        self.entered.set()
        assert self.gate.wait(30)
        (change,) = changes
        self.steps.append((change.old_value, change.new_value))

    def are_told(self, *steps: tuple[int, int]) -> None:
        eventually(lambda: self.steps == list(steps), describe=lambda: self.steps)


@pytest.fixture
def hanging() -> Iterator[Calls]:
    """A callback that hangs, at most until the end of the test."""
    calls = Calls()
    calls.gate.clear()
    yield calls
    calls.gate.set()


def test_a_callback_that_hangs_delays_nobody_and_is_told_the_rest_at_once(
    bus: Bus, config: Subscriber, hanging: Calls
) -> None:
    quick = Calls()
    config.subscribe(hanging, PATH)
    config.subscribe(quick, PATH)

    for number in range(2, 6):
        bus.publish(number)
        bus.agree(number)
        assert hanging.entered.wait(20)
        eventually(lambda number=number: quick.steps and quick.steps[-1][1] == number)  # type: ignore[misc]
    hanging.gate.set()

    hanging.are_told((1, 2), (2, 5))


def test_however_many_callbacks_hang_the_configuration_is_followed(
    bus: Bus, config: Subscriber, hanging: Calls
) -> None:
    late = Calls()
    for _ in range(10):
        config.subscribe(hanging, PATH)
    config.subscribe(late, PATH)

    for number in range(2, 6):
        bus.publish(number)
        bus.agree(number)
    hanging.gate.set()

    eventually(lambda: late.steps and late.steps[-1][1] == 5)


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit, CancelledError])
def test_a_callback_that_raises_is_logged_and_called_again(
    bus: Bus, config: Subscriber, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    others, called = [Calls(), Calls()], Calls()

    def raising(changes: list[Change]) -> None:
        called(changes)
        raise error

    config.subscribe(others[0], PATH)
    config.subscribe(raising, PATH)
    config.subscribe(others[1], PATH)
    for number in range(2, 8):
        bus.publish(number)
        bus.agree(number)
        eventually(lambda number=number: called.steps[-1:] == [(number - 1, number)])  # type: ignore[misc]

    for other in others:
        eventually(lambda other=other: other.steps and other.steps[-1][1] == 7)  # type: ignore[misc]
    assert "a callback failed" in caplog.text


def test_no_call_starts_after_the_end_of_a_subscription(bus: Bus, config: Subscriber) -> None:
    ended, stays = Calls(), Calls()
    subscription = config.subscribe(ended, PATH)
    config.subscribe(stays, PATH)
    bus.publish(2)
    ended.are_told((1, 2))

    config.unsubscribe(subscription)
    bus.publish(3)
    stays.are_told((1, 2), (2, 3))

    assert ended.steps == [(1, 2)]


def test_a_subscription_ends_while_a_call_of_it_hangs(bus: Bus, config: Subscriber, hanging: Calls) -> None:
    stays = Calls()
    subscription = config.subscribe(hanging, PATH)
    config.subscribe(stays, PATH)
    bus.publish(2)
    assert hanging.entered.wait(20)

    config.unsubscribe(subscription)
    hanging.gate.set()
    bus.publish(3)
    stays.are_told((1, 2), (2, 3))

    hanging.are_told((1, 2))


@pytest.mark.slow
def test_no_call_starts_after_the_end_of_a_subscription_whenever_it_comes(bus: Bus, config: Subscriber) -> None:
    late: list[str] = []

    def subscribe_and_end() -> None:
        is_over = threading.Event()
        subscription = config.subscribe(lambda _: late.append("called") if is_over.is_set() else None)
        config.unsubscribe(subscription)
        is_over.set()

    last = scaled(200, 3000)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for number in range(2, last + 1):
            bus.publish(number)
            for _ in range(5):
                subscribe_and_end()
    finally:
        sys.setswitchinterval(before)

    bus.agree(last)
    assert late == []


def test_a_subscription_ends_in_its_own_call(bus: Bus, config: Subscriber) -> None:
    once, stays = Calls(), Calls()

    def end(changes: list[Change]) -> None:
        config.unsubscribe(subscription)
        once(changes)

    subscription = config.subscribe(end, PATH)
    config.subscribe(stays, PATH)
    for number in (2, 3):
        bus.publish(number)
        eventually(lambda number=number: stays.steps[-1:] == [(number - 1, number)])  # type: ignore[misc]

    assert once.steps == [(1, 2)]


def test_a_bound_method_is_called_no_more_when_its_object_is_gone(bus: Bus, config: Subscriber) -> None:
    calls, stays = Calls(), Calls()

    class Pool:
        def resize(self, changes: list[Change]) -> None:
            calls(changes)

    pool = Pool()
    config.subscribe(pool.resize, PATH)
    config.subscribe(stays, PATH)
    bus.publish(2)
    calls.are_told((1, 2))

    del pool
    gc.collect()
    bus.publish(3)
    stays.are_told((1, 2), (2, 3))

    assert calls.steps == [(1, 2)]


def test_a_lambda_that_nobody_else_holds_is_called(bus: Bus, config: Subscriber) -> None:
    calls = Calls()
    config.subscribe(lambda changes: calls(list(changes)), PATH)
    gc.collect()

    bus.publish(2)

    calls.are_told((1, 2))


def test_a_callback_may_close_the_configuration_and_read_on(bus: Bus, config: Subscriber) -> None:
    read: list[int] = []

    def close(_changes: list[Change]) -> None:
        config.close()
        read.append(config[PATH])

    config.subscribe(close)
    bus.publish(2)

    eventually(lambda: read == [2])
    assert config.status().state == "closed"
    assert config[PATH] == 2


def test_a_callback_may_change_the_configuration_bind_and_subscribe(bus: Bus, config: Subscriber) -> None:
    calls, shown = Calls(), list[int]()

    def go_on(changes: list[Change]) -> None:
        (change,) = changes
        shown.append(config.bind(PATH, int).current)
        config.subscribe(calls, PATH)
        if change.new_value < 4:
            bus.publish(change.new_value + 1)

    config.subscribe(go_on, PATH)
    bus.publish(2)

    eventually(lambda: config[PATH] == 4)
    eventually(lambda: calls.steps[-1:] and calls.steps[-1][1] == 4)
    bus.agree(4)
    assert shown == sorted(shown)


@pytest.mark.slow
def test_whoever_subscribes_while_changes_come_misses_none(bus: Bus, config: Subscriber) -> None:
    last = scaled(300, 3000)
    all_calls: list[tuple[int, Calls]] = []

    for number in range(2, last + 1):
        bus.publish(number)
        if number % 10 == 0:
            calls = Calls()
            config.subscribe(calls, PATH)
            all_calls.append((number, calls))
    last += 1
    bus.publish(last)
    bus.agree(last)

    for since, calls in all_calls:
        eventually(lambda calls=calls: calls.steps[-1:] and calls.steps[-1][1] == last)  # type: ignore[misc]
        assert calls.steps[0][0] <= since
        assert [new for _, new in calls.steps[:-1]] == [old for old, _ in calls.steps[1:]]
