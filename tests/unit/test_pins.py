"""While a pin is open, whatever its context reads is of one version; everybody else reads the newest."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from confbus import Subscriber
from confbus.errors import ConnectFailed, UnknownPath
from support.resting import local_of, offer, resting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from confbus import Snapshot


def document(number: int) -> dict[str, Any]:
    return {"number": number, "web": {"number": number, f"only in {number}": True}}


def everything(config: Subscriber) -> set[Any]:
    """The number that each way of reading tells."""
    number = config["number"]
    assert f"web.only in {number}" in config
    assert f"web.only in {number - 1}" not in config
    ways = (config["web.number"], config.get("number"), config.get("web.number", 0), config[("web", "number")])
    return {number, *ways, config.section("web")["number"], config.snapshot["number"], config.snapshot.version}


def elsewhere(config: Subscriber) -> set[Any]:
    """What a context reads that knows nothing of this one."""
    return contextvars.Context().run(everything, config)


def test_every_read_inside_is_of_the_pinned_version_and_of_the_newest_outside() -> None:
    config = resting(document(1))

    with config.pin() as pinned:
        offer(config, document(2))
        assert everything(config) == {1}
        assert elsewhere(config) == {2}
        offer(config, document(3))
        assert everything(config) == {1} == {pinned.version}
        assert elsewhere(config) == {3}

    assert everything(config) == {3}


def test_what_is_absent_inside_is_absent_and_what_came_since_is_too() -> None:
    config = resting({"a": 1})

    with config.pin():
        offer(config, {"a": 1, "b": 2})
        with pytest.raises(UnknownPath, match="version 1"):
            config["b"]
        assert config.get("b", "none") == "none"
        assert "b" not in config

    assert config["b"] == 2


def test_a_pin_of_an_empty_document_is_one() -> None:
    config = resting({})

    with config.pin() as pinned:
        offer(config, document(2))
        assert config.snapshot is pinned
        assert config.get("number", "none") == "none"


def test_without_a_release_there_is_nothing_to_pin() -> None:
    with pytest.raises(ConnectFailed):
        Subscriber("redis://127.0.0.1:1", namespace="none").pin()


def test_a_pin_inside_a_pin_holds_the_version_of_the_outer_one() -> None:
    config = resting(document(1))

    with config.pin():
        offer(config, document(2))
        with config.pin() as inner:
            assert inner.version == 1
        assert everything(config) == {1}

    assert everything(config) == {2}


def test_each_subscriber_has_its_own_pins() -> None:
    one, other = resting(document(1)), resting(document(1))

    with one.pin():
        offer(one, document(2))
        offer(other, document(2))
        assert (everything(one), everything(other)) == ({1}, {2})


def test_a_pin_in_one_thread_is_none_in_another() -> None:
    config = resting(document(1))
    said: list[set[Any]] = []

    with config.pin():
        offer(config, document(2))
        thread = threading.Thread(target=lambda: said.append(everything(config)))
        thread.start()
        thread.join()

    assert said == [{2}]


def test_tasks_made_inside_read_what_is_pinned_and_the_newest_when_the_pin_is_over() -> None:
    config = resting(document(1))

    async def main() -> list[set[Any]]:
        is_over = asyncio.Event()
        said: list[set[Any]] = []

        async def read() -> None:
            said.append(everything(config))
            await is_over.wait()
            said.append(everything(config))

        with config.pin():
            task = asyncio.create_task(read())
            offer(config, document(2))
            await asyncio.sleep(0)
        with contextvars.Context().run(config.pin):
            is_over.set()
            await task
        return said

    assert asyncio.run(main()) == [{1}, {2}]


def test_a_context_that_outlives_its_pin_follows_also_while_others_pin() -> None:
    config = resting(document(1))
    with config.pin():
        left = contextvars.copy_context()
        assert left.run(everything, config) == {1}

    other = contextvars.Context()
    pin = other.run(config.pin)
    other.run(pin.__enter__)
    said = [left.run(everything, config)]
    offer(config, document(2))
    said.append(other.run(everything, config))
    other.run(pin.__exit__)
    with config.pin():
        said.append(left.run(everything, config))
        offer(config, document(3))
        said.append(everything(config))

    assert said == [{1}, {1}, {2}, {2}]
    assert left.run(everything, config) == {3}


def test_a_task_may_keep_a_pin_of_its_own_beyond_the_one_it_was_made_in() -> None:
    config = resting(document(1))
    with config.pin():
        inside = contextvars.copy_context()
        pin = inside.run(config.pin)
        inside.run(pin.__enter__)
    offer(config, document(2))

    assert inside.run(everything, config) == {1}
    assert everything(config) == {2}
    inside.run(pin.__exit__)
    assert inside.run(everything, config) == {2}


def pinned_numbers(config: Subscriber) -> Generator[set[Any]]:
    with config.pin():
        while True:
            yield everything(config)


def test_a_generator_that_is_dropped_unfinished_leaves_no_pin() -> None:
    config = resting(document(1))
    numbers = pinned_numbers(config)
    next(numbers)

    del numbers
    gc.collect()
    offer(config, document(2))

    assert everything(config) == {2}
    assert type(config) is Subscriber


def test_a_generator_may_be_closed_in_another_context() -> None:
    config = resting(document(1))
    numbers = pinned_numbers(config)
    first = contextvars.Context()
    first.run(next, numbers)

    contextvars.Context().run(numbers.close)
    offer(config, document(2))

    assert first.run(everything, config) == {2}
    assert type(config) is Subscriber


def test_an_async_generator_that_the_loop_ends_leaves_no_pin() -> None:
    config = resting(document(1))

    async def numbers() -> AsyncGenerator[int]:
        with config.pin():
            yield config["number"]
            yield config["number"]

    async def take_one() -> int:
        return await anext(aiter(numbers()))

    assert asyncio.run(take_one()) == 1
    gc.collect()
    offer(config, document(2))
    assert everything(config) == {2}
    assert type(config) is Subscriber


def test_a_pin_that_is_lost_closes_itself() -> None:
    config = resting(document(1))
    pin = config.pin()
    pin.__enter__()

    del pin
    offer(config, document(2))

    assert everything(config) == {2}


def test_what_raises_inside_ends_the_pin_and_goes_on() -> None:
    config = resting(document(1))

    def fail() -> None:
        with config.pin():
            offer(config, document(2))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert everything(config) == {2}


def test_reads_are_the_plain_ones_again_after_the_last_pin() -> None:
    config = resting(document(1))

    with config.pin():
        assert type(config) is not Subscriber
        assert isinstance(config, Subscriber)
        with config.pin():
            pass
        assert type(config) is not Subscriber

    assert type(config) is Subscriber


def test_a_version_that_nobody_pins_any_more_is_not_kept() -> None:
    config = resting(document(1))
    with config.pin() as pinned:
        left = contextvars.copy_context()
        before = {id(pinned)}
    del pinned

    offer(config, document(2))
    gc.collect()

    assert left.run(everything, config) == {2}
    assert not [each for each in gc.get_objects() if id(each) in before and getattr(each, "version", 0) == 1]


def test_what_others_wait_for_or_are_told_is_the_newest_also_inside() -> None:
    config = resting(document(1))
    told: list[Any] = []
    is_told = threading.Event()

    def tell(changes: Any) -> None:
        told.extend(change.new_value for change in changes)
        is_told.set()

    with config.pin():
        config.subscribe(tell, "number")
        offer(config, document(2))
        newest: Snapshot = config.wait_for(version=2, timeout=20)
        assert is_told.wait(20)
    config.close()

    assert newest.version == 2
    assert told == [2]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # from 3.12 on: other threads are the point
def test_a_fork_inside_keeps_the_pin_of_its_thread_and_of_no_other() -> None:
    config = resting(document(1))
    is_pinned, is_over = threading.Event(), threading.Event()

    def pin_elsewhere() -> None:
        with config.pin():
            is_pinned.set()
            is_over.wait(20)

    thread = threading.Thread(target=pin_elsewhere)
    thread.start()
    assert is_pinned.wait(20)
    pid, inside = -1, set[Any]()
    try:
        with config.pin():
            pid = os.fork()
            if pid == 0:
                local_of(config).offer(local_of(resting(document(2))).snapshot or config.snapshot)
                inside = everything(config)
        if pid == 0:
            os._exit(0 if (inside, config["number"], type(config)) == ({1}, 2, Subscriber) else 1)
    finally:
        if pid == 0:
            os._exit(2)
        is_over.set()
        thread.join()

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
