"""Reads that belong together are of one version: from one snapshot, one section, or inside a pin, under a fast writer.

Every release has the same number in two sections. Two reads that tell different numbers are torn.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from support.bus import TIMING
from support.resting import offer, resting
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from confbus import Subscriber
    from support.bus import Bus

PAIRS = scaled(test=100_000, soak=10_000_000)
THREADS = 2
AT_ONCE = 50
"""Pairs that one pin, or one held snapshot, is good for: as many reads as a request may make."""
RELEASES = 10
WRITES_S = 0.001
SWITCH_S = 0.00002


def document(number: int) -> dict[str, Any]:
    return {"one": {"number": number, "same": number}, "other": {"number": number}}


@pytest.fixture(autouse=True)
def _threads_change_often() -> Iterator[None]:
    """Many times within a release, so that a pair which can be torn is."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    yield
    sys.setswitchinterval(before)


def number_of(document: Any, path: str) -> int:
    """One read. The call lets other threads in between two of them."""
    number: int = document[path]
    return number


def pairs(document: Any, one: str = "one.number", other: str = "other.number") -> int:
    """How many of many pairs are torn."""
    return sum(number_of(document, one) != number_of(document, other) for _ in range(AT_ONCE))


def from_a_snapshot(config: Subscriber) -> int:
    return pairs(config.snapshot)


def from_a_section(config: Subscriber) -> int:
    return pairs(config.section("one"), "number", "same")


def inside_a_pin(config: Subscriber) -> int:
    with config.pin() as pinned:
        torn: int = pairs(config) + (config.get("one.number") != config.section("other")["number"])
        return torn + (config.snapshot is not pinned)


@contextmanager
def releases(config: Subscriber) -> Generator[None]:
    """About a thousand releases a second, while it lasts."""
    is_over = threading.Event()

    def write() -> None:
        number = 1
        while not is_over.wait(WRITES_S):
            number += 1
            offer(config, document(number))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        is_over.set()
        writer.join()


def torn(config: Subscriber, pair: Callable[[Subscriber], int]) -> int:
    """How many pairs were torn, of those that several threads read while releases came."""
    counts: list[int] = []

    def read() -> None:
        turns = 0
        while turns < PAIRS // AT_ONCE // THREADS or config.snapshot.version < RELEASES:
            counts.append(pair(config))
            turns += 1

    threads = [threading.Thread(target=read) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("pair", [from_a_snapshot, from_a_section, inside_a_pin])
def test_no_pair_of_one_version_is_torn(pair: Callable[[Subscriber], int]) -> None:
    config = resting(document(1))

    with releases(config):
        assert torn(config, pair) == 0

    assert config["one.number"] == config.snapshot.version > 1
    assert type(config) is confbus.Subscriber


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_tasks_that_await_between_their_reads_have_each_their_own_version() -> None:
    config = resting(document(1))
    versions: set[int] = set()

    async def read() -> int:
        torn = turns = 0
        while turns < scaled(test=1_000, soak=300_000) or config.snapshot.version < RELEASES:
            turns += 1
            with config.pin() as pinned:
                number = config["one.number"]
                await asyncio.sleep(0)
                torn += not number == config["other.number"] == pinned.version
                versions.add(number)
        return torn

    async def main() -> list[int]:
        return await asyncio.gather(*(read() for _ in range(5)))

    with releases(config):
        assert sum(asyncio.run(main())) == 0

    assert len(versions) > 1


@pytest.mark.slow
def test_pairs_that_nothing_holds_together_are_torn() -> None:
    config = resting(document(1))

    with releases(config):
        while not pairs(config):
            pass


@pytest.mark.slow
def test_a_pin_outlasts_the_releases_of_a_real_bus(bus: Bus) -> None:
    bus.publish(1)
    with confbus.connect(bus.url, namespace=bus.namespace, timing=TIMING) as config:
        is_over = threading.Event()

        def publish() -> None:
            number = 1
            while not is_over.is_set():
                number += 1
                bus.publish(number)

        publisher = threading.Thread(target=publish)
        publisher.start()
        try:
            for _ in range(scaled(test=200, soak=10_000)):
                with config.pin() as pinned:
                    number = config["number"]
                    config.wait_for(version=pinned.version + 1, timeout=30)
                    assert (config["web.number"], config["db.host"]) == (number, f"db-{number}")
                    assert config.snapshot is pinned
        finally:
            is_over.set()
            publisher.join()

        newest = bus.story[-1]
        config.wait_for(version=newest, timeout=30)
        assert config["number"] == newest
