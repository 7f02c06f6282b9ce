"""`confbus run` on two machines: one dies, is stopped for longer than its lease, or has other files."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.bus import document
from support.eventually import eventually
from support.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from confbus import Snapshot
    from support.bus import Bus
    from support.shop import Running

pytestmark = pytest.mark.slow


def odd_only(snapshot: Snapshot) -> None:
    if snapshot["number"] % 2 == 0:
        raise ValueError("web.number: it is even")


class Pair:
    """Two directories, as of two machines, with a publisher of the same namespace in each."""

    def __init__(self, bus: Bus, directory: Path) -> None:
        self._bus = bus
        self.shops: list[Shop] = []
        for name in ("ann", "bob"):
            (directory / name).mkdir()
            self.shops.append(Shop(directory / name, bus.namespace, url=bus.url))

    def edit(self, shop: Shop, number: int) -> None:
        """Let its file say document `number`."""
        if number not in self._bus.story:
            self._bus.story.append(number)
        shop.write(json.dumps(document(number)))

    @contextmanager
    def running(self, first: int, second: int) -> Generator[tuple[Running, Running]]:
        """An active publisher with document `first`, one that stands by with `second`, and a worker."""
        for shop, number in zip(self.shops, (first, second), strict=True):
            self.edit(shop, number)
        with self.shops[0].start("run") as active:
            active.says("in step")
            with self.shops[1].start("run") as standby:
                standby.says("standby", f":{active.process.pid}:", "is active")
                self._bus.worker()
                self._bus.agree(first)
                yield active, standby


@pytest.fixture
def pair(bus: Bus, tmp_path: Path) -> Pair:
    return Pair(bus, tmp_path)


def test_after_a_kill_the_next_edit_goes_out_from_the_other_machine_and_none_twice(bus: Bus, pair: Pair) -> None:
    ann, bob = pair.shops
    with pair.running(1, 1) as (active, standby):
        for shop in (ann, bob):
            pair.edit(shop, 2)
        bus.agree(2)

        active.end(signal.SIGKILL)
        pair.edit(bob, 3)
        bus.agree(3)
        assert standby.end(signal.SIGTERM) == 0

    assert bus.actions() == [("publish", number) for number in range(1, 4)]


def test_a_release_whose_publisher_was_killed_is_undone_from_the_other_machine_and_stays_undone(
    bus: Bus, pair: Pair
) -> None:
    ann, bob = pair.shops
    for shop in (ann, bob):
        shop.settle("guard: 10m")
    with pair.running(1, 1) as (active, standby):
        for shop in (ann, bob):
            pair.edit(shop, 2)
        bus.agree(2)
        active.end(signal.SIGKILL)

        bus.worker(validators=[odd_only])
        bus.story.append(1)
        bus.agree(1)
        standby.says("held", "it is even")
        with ann.start("run") as again:
            again.says("standby", f":{standby.process.pid}:", "is active")
            assert standby.end(signal.SIGTERM) == 0
            again.says("held", "it is even")
            pair.edit(ann, 3)
            bus.agree(3)

    assert bus.actions() == [("publish", 1), ("publish", 2), ("rollback", 3), ("publish", 4)]


def test_a_process_that_was_stopped_past_its_lease_publishes_no_edit_of_that_time_again(bus: Bus, pair: Pair) -> None:
    ann, bob = pair.shops
    with pair.running(1, 1) as (active, standby):
        active.signal(signal.SIGSTOP)
        for number in (2, 3):
            for shop in (ann, bob):
                pair.edit(shop, number)
            bus.agree(number)

        active.signal(signal.SIGCONT)
        active.says("standby", f":{standby.process.pid}:", "is active")
        pair.edit(bob, 4)
        bus.agree(4)

        assert active.end(signal.SIGTERM) == 0
    assert bus.actions() == [("publish", number) for number in range(1, 5)]


def test_with_other_files_the_heir_shows_what_differs_and_waits_for_an_edit(bus: Bus, pair: Pair) -> None:
    bob = pair.shops[1]
    with pair.running(1, 50) as (active, standby):
        active.end(signal.SIGKILL)
        standby.says("WARNING", "diverged", "~number ~db.host ~db.number ~web.number")

        here = ("-c", str(bob.directory / "confbus.yaml"))
        told = eventually(lambda: [text for text in [bob.confbus("status", *here).out] if "diverged" in text])
        plan = bob.confbus("plan", *here)
        bus.agree(1)
        assert bus.actions() == [("publish", 1)]
        pair.edit(bob, 51)
        bus.agree(51)

    assert "~db.host" in told[0]
    assert (plan.code, "db-50" in plan.out) == (2, True)
    assert bus.actions() == [("publish", 1), ("publish", 2)]
