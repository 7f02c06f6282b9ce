"""Two publishers in one namespace: one is active, the other one takes over, and neither undoes the other's work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support.bus import PACE
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus_publisher.pace import Pace
    from support.bus import Bus, RunningPublisher
    from support.server import Server

FOR_LONG = replace(PACE, lease_s=300.0)
"""The pace of publishers whose lease runs out in no test."""


def pair(bus: Bus, first: int, second: int, *, pace: Pace = PACE) -> tuple[RunningPublisher, RunningPublisher]:
    """An active publisher and one that stands by, on two machines, with a worker."""
    active = bus.publisher(first, name="ann", pace=pace)
    standby = bus.publisher(second, name="bob", pace=pace)
    bus.worker()
    bus.agree(first)
    assert (active.state, standby.state) == ("in step", "standby")
    return active, standby


def takes_over(publisher: RunningPublisher) -> bool:
    return publisher.is_active and publisher.state != "standby"


@pytest.mark.slow
def test_whoever_stands_by_takes_over_after_a_kill_and_publishes_nothing(bus: Bus) -> None:
    active, standby = pair(bus, 1, 1)

    active.kill()
    eventually(lambda: takes_over(standby))

    assert standby.state == "in step"
    assert bus.actions() == [("publish", 1)]
    bus.edit(standby, 2)
    bus.agree(2)


def test_whoever_stands_by_takes_over_at_once_after_a_stop(bus: Bus) -> None:
    active, standby = pair(bus, 1, 1, pace=FOR_LONG)

    active.stop()
    eventually(lambda: takes_over(standby))

    assert bus.actions() == [("publish", 1)]


def test_an_edit_that_both_have_is_published_once(bus: Bus) -> None:
    both = pair(bus, 1, 1, pace=FOR_LONG)

    for number in range(2, 12):
        for publisher in both:
            bus.edit(publisher, number)
        bus.agree(number)

    assert bus.actions() == [("publish", number) for number in range(1, 12)]


@pytest.mark.slow
def test_an_edit_that_the_dead_one_did_not_publish_is_published_after_the_take_over(bus: Bus) -> None:
    active, standby = pair(bus, 1, 1)

    active.kill()
    bus.edit(standby, 2)
    eventually(lambda: takes_over(standby))

    bus.agree(2)
    assert bus.actions() == [("publish", 1), ("publish", 2)]


@pytest.mark.slow
def test_different_sources_do_not_fight(bus: Bus) -> None:
    active, standby = pair(bus, 1, 50, pace=FOR_LONG)

    active.stop()
    eventually(lambda: takes_over(standby))
    assert standby.state == "diverged"
    assert "~number ~db.host ~db.number ~web.number" in standby.why
    again = bus.publisher(1, name="ann", pace=FOR_LONG)
    standby.stop()
    eventually(lambda: takes_over(again))

    assert again.state == "in step"
    assert bus.actions() == [("publish", 1)]
    bus.agree(1)


@pytest.mark.slow
def test_whoever_diverged_publishes_its_next_edit(bus: Bus) -> None:
    active, standby = pair(bus, 1, 50, pace=FOR_LONG)
    active.stop()
    eventually(lambda: standby.state == "diverged")

    bus.edit(standby, 51)

    bus.agree(51)
    assert bus.actions() == [("publish", 1), ("publish", 2)]


@pytest.mark.slow
def test_a_server_that_was_away_for_longer_than_the_lease_leaves_one_active(own_bus: Bus, own_server: Server) -> None:
    both = pair(own_bus, 1, 1)

    own_server.kill()
    eventually(lambda: all(publisher.state == "unreachable" for publisher in both))
    eventually(lambda: not any(publisher.is_active for publisher in both))
    own_server.restart(empty=True)
    for publisher in both:
        own_bus.edit(publisher, 2)

    own_bus.agree(2)
    eventually(lambda: sorted(publisher.state for publisher in both) == ["in step", "standby"])
    assert [action for action, _ in own_bus.actions()] == ["restore", "publish"]


def lost_all(server: Server, _old: bytes) -> None:
    server.flush()


def lost_since(server: Server, old: bytes) -> None:
    server.restart(dump=old)


@pytest.mark.parametrize("lose", [lost_all, lost_since], ids=["FLUSHALL", "an old dump"])
def test_a_loss_that_takes_the_lease_along_is_repaired_once_and_leaves_one_active(
    own_bus: Bus, own_server: Server, lose: Callable[[Server, bytes], object]
) -> None:
    both = pair(own_bus, 1, 1)
    old = own_server.dump()
    for number in (2, 3):
        for publisher in both:
            own_bus.edit(publisher, number)
        own_bus.agree(number)
    eventually(lambda: all(publisher.remembers(3) for publisher in both))

    lose(own_server, old)

    own_bus.agree(3)
    eventually(lambda: sorted(publisher.state for publisher in both) == ["in step", "standby"])
    for publisher in both:
        own_bus.edit(publisher, 4)
    own_bus.agree(4)
    assert [action for action, _ in own_bus.actions()][-2:] == ["restore", "publish"]
    assert [action for action, _ in own_bus.actions()].count("restore") == 1
