"""Redis forgets: everything, or all since a backup. Workers keep what they run; who remembers puts it back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from confbus.errors import Lost
from confbus.testing import Proxy
from confbus_publisher import fleet
from confbus_publisher.inputs import Inputs
from confbus_publisher.oneshot import publish_once
from support.bus import OPERATOR, PACE, Edits, document, number_of
from support.eventually import eventually
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.bus import Bus, Worker
    from support.server import Server

Loss = tuple[int, "Callable[[Server, bytes], object]"]


def flush(server: Server, _old: bytes) -> None:
    server.flush()


def restart_empty(server: Server, _old: bytes) -> None:
    server.restart(empty=True)


def restart_old(server: Server, old: bytes) -> None:
    server.restart(dump=old)


LOSSES = [
    pytest.param((1, flush), id="FLUSHALL"),
    pytest.param((1, restart_empty), id="restart without data"),
    pytest.param((1, restart_old), id="back by 1 change"),
    pytest.param((17, restart_old), id="back by 17 changes", marks=pytest.mark.slow),
    pytest.param((1001, restart_old), id="back by 1001 changes", marks=pytest.mark.slow),
]
STUCK = {"regressed", "lost"}
PATIENT = replace(PACE, return_s=30.0)
"""The pace of a publisher that gives instances all the time they need to find a server that began anew."""


def are_stuck(workers: list[Worker], number: int) -> bool:
    return all(worker.state in STUCK and worker.number == number for worker in workers)


def say_that_they_are_stuck(bus: Bus, workers: list[Worker]) -> bool:
    """Whether the fleet knows of all of them. Reports come a moment after the fact, and are all that a command has."""
    told = {report.instance: report.state for report in fleet.parse_all(bus.ledger.store.fleet())}
    return all(told.get(worker.config.instance) in STUCK for worker in workers)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_publisher_that_remembers_puts_it_back(own_bus: Bus, own_server: Server, loss: Loss) -> None:
    changes, lose = loss
    publisher = own_bus.publisher(1)
    workers = [own_bus.worker() for _ in range(2)]
    own_bus.agree(1)
    old = own_server.dump()
    for number in range(2, 2 + changes):
        own_bus.publish(number)
    eventually(lambda: publisher.remembers(1 + changes))
    own_bus.agree(1 + changes)

    lose(own_server, old)

    own_bus.agree(1 + changes)
    assert own_bus.actions()[-1][0] == "restore"
    own_bus.edit(publisher, 5000)
    own_bus.agree(5000)
    assert all(worker.config.snapshot.version == 1 + changes + 2 for worker in workers)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_publisher_that_was_away_puts_back_what_its_memory_file_knows(
    own_bus: Bus, own_server: Server, loss: Loss
) -> None:
    changes, lose = loss
    publisher = own_bus.publisher(1)
    worker = own_bus.worker()
    old = own_server.dump()
    for number in range(2, 2 + changes):
        own_bus.publish(number)
    eventually(lambda: publisher.remembers(1 + changes))
    publisher.kill()

    lose(own_server, old)
    eventually(lambda: worker.state in STUCK)
    own_bus.publisher(1)

    own_bus.agree(1 + changes)
    assert worker.saw[-1].version == 1 + changes + 1


@pytest.mark.parametrize("loss", LOSSES[:4])
def test_a_publisher_that_knows_nothing_publishes_nothing_and_asks(
    own_bus: Bus, own_server: Server, loss: Loss
) -> None:
    changes, lose = loss
    own_bus.publish(1)
    workers = [own_bus.worker(), own_bus.worker()]
    old = own_server.dump()
    for number in range(2, 2 + changes):
        own_bus.publish(number)
    own_bus.agree(1 + changes)

    lose(own_server, old)
    before = own_bus.actions()
    stranger = own_bus.publisher(5000, name="stranger", pace=PATIENT)
    eventually(lambda: stranger.state == "lost" and are_stuck(workers, 1 + changes), describe=lambda: stranger.why)
    eventually(lambda: say_that_they_are_stuck(own_bus, workers))

    assert "`confbus publish --adopt`" in stranger.why
    assert own_bus.actions() == before
    merge = Inputs([Edits(document(5000))], limit_bytes=10_000).load()
    with pytest.raises(Lost, match="--adopt"):
        publish_once(own_bus.ledger, merge, OPERATOR, force=True)
    publish_once(own_bus.ledger, merge, OPERATOR, adopt=True)
    own_bus.agree(5000)
    eventually(lambda: stranger.state == "in step")


def test_a_publisher_that_knows_nothing_waits_for_instances_that_are_on_their_way_back(
    own_bus: Bus, own_server: Server
) -> None:
    own_bus.publish(1)
    with Proxy(own_server.url) as proxy:
        own_bus.worker(url=proxy.url)
        proxy.stall()
        own_server.restart(empty=True)
        proxy.sever()

        stranger = own_bus.publisher(2, name="stranger", pace=PATIENT)
        assert (stranger.state, own_bus.actions()) == ("starting", [])
        assert "began a moment ago" in stranger.why
        proxy.flow()
        eventually(lambda: stranger.state == "lost")

        assert own_bus.actions() == []
        own_bus.assert_sane()


def test_a_memory_file_that_knows_less_than_the_fleet_undoes_nothing(own_bus: Bus, own_server: Server) -> None:
    own_bus.publisher(1).stop()
    own_bus.publish(2)
    workers = [own_bus.worker(), own_bus.worker()]

    own_server.restart(empty=True)
    publisher = own_bus.publisher(1, pace=PATIENT)
    eventually(lambda: publisher.state == "lost" and are_stuck(workers, 2))

    assert own_bus.actions() == []


@pytest.mark.slow
def test_a_memory_file_that_knows_less_than_the_sources_and_the_fleet_does_not_hinder(
    own_bus: Bus, own_server: Server
) -> None:
    own_bus.publisher(1).stop()
    own_bus.publish(2)
    own_bus.worker()

    own_server.restart(empty=True)
    own_bus.publisher(2, pace=replace(PATIENT, return_s=3.0))

    own_bus.agree(2)
    assert own_bus.actions() == [("restore", 3)]


def test_a_publisher_with_the_content_that_the_fleet_runs_puts_it_back_without_memory(
    own_bus: Bus, own_server: Server
) -> None:
    own_bus.publish(1)
    workers = [own_bus.worker(), own_bus.worker()]

    own_server.flush()
    eventually(lambda: are_stuck(workers, 1))
    own_bus.publisher(1, name="stranger")

    own_bus.agree(1)
    assert own_bus.actions() == [("restore", 2)]


def test_without_any_publisher_everybody_keeps_what_they_run(own_bus: Bus, own_server: Server) -> None:
    own_bus.publish(1)
    workers = [own_bus.worker(), own_bus.worker()]

    own_server.restart(empty=True)
    eventually(lambda: are_stuck(workers, 1))
    own_server.restart(empty=True)
    eventually(lambda: are_stuck(workers, 1))

    own_bus.assert_sane()
    assert own_bus.actions() == []


def test_a_worker_that_starts_after_a_loss_waits_for_the_repair(own_bus: Bus, own_server: Server) -> None:
    publisher = own_bus.publisher(1)
    own_bus.worker()
    for number in (2, 3):
        own_bus.publish(number)
    eventually(lambda: publisher.remembers(3))

    own_server.flush()
    late = own_bus.worker()

    assert [number_of(snapshot) for snapshot in late.saw] == [3]
    own_bus.agree(3)


@pytest.mark.slow
def test_a_server_that_forgets_again_and_again_ends_where_it_shall(own_bus: Bus, own_server: Server) -> None:
    publisher = own_bus.publisher(1)
    for _ in range(3):
        own_bus.worker()
    old = own_server.dump()

    for number in range(2, scaled(8, 14)):
        own_bus.edit(publisher, number)
        eventually(lambda number=number: publisher.remembers(number))  # type: ignore[misc]
        if number % 2:
            own_server.restart(dump=old)
        else:
            own_server.flush()
        own_bus.agree(number)
