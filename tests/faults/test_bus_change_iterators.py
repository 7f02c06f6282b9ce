"""Loops over changes: what they are given, when they end, and whom they keep waiting."""

from __future__ import annotations

import asyncio
import os
import signal
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from support.eventually import eventually

if TYPE_CHECKING:
    from confbus import Subscriber
    from confbus.wire.diff import Change
    from support.bus import Bus

PATH = "web.number"


@pytest.fixture
def config(bus: Bus) -> Subscriber:
    """A worker's configuration, which says 1."""
    bus.publish(1)
    return bus.worker().config


def step(changes: list[Change]) -> tuple[int, int]:
    (change,) = changes
    return change.old_value, change.new_value


def test_a_loop_is_given_what_changed_since_its_last_step(bus: Bus, config: Subscriber) -> None:
    changes = config.changes(PATH)
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(next, changes)
        bus.publish(2)
        first = step(waiting.result(20))

    for number in (3, 4):
        bus.publish(number)
        bus.agree(number)

    assert (first, step(next(changes))) == ((1, 2), (2, 4))


def test_a_loop_ends_when_the_configuration_is_closed_and_hears_the_last_change(bus: Bus, config: Subscriber) -> None:
    changes, idle = config.changes(PATH), config.changes("fixed")
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(list, idle)
        bus.publish(2)
        bus.agree(2)
        config.close()

        assert waiting.result(20) == []
    assert [step(each) for each in changes] == [(1, 2)]


def test_several_threads_share_one_loop_and_each_change_goes_to_one(bus: Bus, config: Subscriber) -> None:
    changes = config.changes(PATH)
    with ThreadPoolExecutor(4) as others:
        loops = [others.submit(lambda: [step(each) for each in changes]) for _ in range(4)]
        for number in range(2, 30):
            bus.publish(number)
        bus.agree(29)
        config.close()
        steps = sorted(each for loop in loops for each in loop.result(20))

    assert steps[0][0] == 1
    assert steps[-1][1] == 29
    assert [new for _, new in steps[:-1]] == [old for old, _ in steps[1:]]


def test_an_async_loop_waits_without_keeping_its_event_loop(bus: Bus, config: Subscriber) -> None:
    async def main() -> list[tuple[int, int]]:
        heard: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        steps: list[tuple[int, int]] = []

        async def listen() -> None:
            async for changes in config.changes(PATH):
                heard.put_nowait(step(changes))

        listening = [asyncio.create_task(listen()) for _ in range(2)]
        await asyncio.sleep(0)
        for number in (2, 3):
            await asyncio.to_thread(bus.publish, number)
            steps += [await heard.get(), await heard.get()]
        await asyncio.to_thread(config.close)
        await asyncio.gather(*listening)
        return steps

    assert asyncio.run(asyncio.wait_for(main(), 30)) == [(1, 2), (1, 2), (2, 3), (2, 3)]


def test_an_event_loop_that_was_closed_in_the_middle_disturbs_nobody(bus: Bus, config: Subscriber) -> None:
    stays = config.changes(PATH)
    loop = asyncio.new_event_loop()
    changes = config.changes(PATH)
    waiting = loop.create_task(changes.__anext__())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()

    bus.publish(2)

    bus.agree(2)
    assert step(next(stays)) == (1, 2)
    assert not waiting.done()


def test_a_cancelled_step_loses_no_change(bus: Bus, config: Subscriber) -> None:
    changes = config.changes(PATH)

    async def cancelled() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(changes.__anext__(), 0.01)

    asyncio.run(cancelled())
    bus.publish(2)

    assert step(next(changes)) == (1, 2)


def test_a_loop_goes_on_in_a_forked_child(bus: Bus, config: Subscriber) -> None:
    changes = config.changes(PATH)
    asking, telling = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads; they are what is tried here
        child = os.fork()
    if child == 0:  # no assertion may leave the child for the tests of its parent
        try:
            os.write(telling, repr(step(next(changes))).encode())
        finally:
            os._exit(0)

    try:
        eventually(lambda: len(bus.ledger.store.fleet()) == 2)
        bus.publish(2)
        assert os.read(asking, 100) == b"(1, 2)"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(asking)
        os.close(telling)
