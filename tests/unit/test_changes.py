"""The dispatcher as its attackers see it: who is told what, by which thread, and who never is."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

import pytest

from confbus import changes
from confbus.changes import MAX_THREADS, Dispatcher
from support.eventually import eventually
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confbus.wire.diff import Change


class World:
    """A configuration with one number, whose changes a dispatcher tells."""

    def __init__(self) -> None:
        self.newest: Mapping[str, Any] = {"number": 0}
        self.dispatcher = Dispatcher(lambda: self.newest)

    def move_to(self, number: int) -> None:
        self.newest = {"number": number}
        self.dispatcher.announce()


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.dispatcher.close()


class Steps:
    """A callback that notes each step it is told of."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int]] = []

    def __call__(self, changes: list[Change]) -> None:
        (change,) = changes
        self.taken.append((change.old_value, change.new_value))

    @property
    def are_a_chain(self) -> bool:
        return [new for _, new in self.taken[:-1]] == [old for old, _ in self.taken[1:]]


def at_work() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "confbus-callbacks"]


def test_whoever_announces_late_does_not_take_anybody_back(world: World) -> None:
    steps = Steps()
    world.dispatcher.subscribe(steps, "number")
    world.newest = {"number": 1}
    world.newest = {"number": 2}  # by another thread, before the first one came to announce

    world.dispatcher.announce()
    eventually(lambda: steps.taken)
    world.dispatcher.announce()
    world.move_to(3)
    eventually(lambda: steps.taken[1:])

    assert steps.taken == [(0, 2), (2, 3)]


def test_when_every_thread_hangs_others_take_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "SLOW_S", 0.01)
    gate, steps, before = threading.Event(), Steps(), len(at_work())
    for _ in range(2 * MAX_THREADS):
        world.dispatcher.subscribe(lambda _: gate.wait(30), "number")
    world.dispatcher.subscribe(steps, "number")

    try:
        world.move_to(1)
        eventually(lambda: steps.taken == [(0, 1)], describe=lambda: steps.taken)
        world.move_to(2)
        eventually(lambda: steps.taken == [(0, 1), (1, 2)], describe=lambda: steps.taken)
    finally:
        gate.set()

    eventually(lambda: len(at_work()) <= before + MAX_THREADS, describe=at_work)


def test_a_call_that_hangs_is_reported_once(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(changes, "SLOW_S", 0.0)
    entered, gate = threading.Event(), threading.Event()

    def hang(_: list[Change]) -> None:
        entered.set()
        gate.wait(30)

    world.dispatcher.subscribe(hang, "number")
    world.move_to(1)
    assert entered.wait(20)

    for number in range(2, 10):
        world.move_to(number)
    gate.set()

    assert caplog.text.count("a callback still runs") == 1


def test_after_a_fork_what_nobody_was_told_yet_is_told(world: World) -> None:
    steps = Steps()
    world.dispatcher.subscribe(steps, "number")
    world.newest = {"number": 1}

    world.dispatcher.renew()
    world.dispatcher.announce()

    eventually(lambda: steps.taken == [(0, 1)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_at_once_each_is_told_a_chain_that_ends_at_the_newest(world: World, seed: int) -> None:
    last, ended, alive = scaled(2000, 50_000), list[tuple[Steps, int]](), list[Steps]()
    is_over = threading.Event()

    def come_and_go() -> None:
        chance = random.Random(seed)
        while not is_over.is_set():
            steps = Steps()
            subscription = world.dispatcher.subscribe(steps, "**")
            if chance.random() < 0.01:
                alive.append(steps)
                continue
            world.dispatcher.announce()
            world.dispatcher.unsubscribe(subscription)
            ended.append((steps, len(steps.taken)))

    strangers = [threading.Thread(target=come_and_go) for _ in range(2)]
    for stranger in strangers:
        stranger.start()
    for number in range(1, last + 1):
        world.move_to(number)
    is_over.set()
    for stranger in strangers:
        stranger.join()
    world.move_to(last + 1)

    for steps in alive:
        eventually(lambda steps=steps: steps.taken[-1:] and steps.taken[-1][1] == last + 1)  # type: ignore[misc]
        assert steps.are_a_chain
    assert all(steps.are_a_chain and len(steps.taken) == calls for steps, calls in ended)
