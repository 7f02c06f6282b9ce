"""The server goes away, hangs, or cuts connections: reads go on from memory, and nothing is missed or done twice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from support.eventually import eventually
from support.scale import scaled

if TYPE_CHECKING:
    from support.bus import Bus
    from support.server import Server


def test_a_server_that_is_down_takes_nothing_away(own_bus: Bus, own_server: Server) -> None:
    publisher = own_bus.publisher(1)
    workers = [own_bus.worker() for _ in range(2)]
    own_bus.agree(1)

    own_server.kill()
    own_bus.edit(publisher, 2)
    eventually(lambda: publisher.state == "unreachable")
    eventually(lambda: all(worker.state == "reconnecting" for worker in workers))
    assert [worker.number for worker in workers] == [1, 1]
    own_server.restart()

    own_bus.agree(2)
    assert own_bus.actions() == [("publish", 1), ("publish", 2)]


@pytest.mark.slow
def test_a_server_that_hangs_takes_nothing_away(own_bus: Bus, own_server: Server) -> None:
    publisher = own_bus.publisher(1)
    workers = [own_bus.worker() for _ in range(2)]
    own_bus.agree(1)

    own_server.pause()
    own_bus.edit(publisher, 2)
    eventually(lambda: publisher.state == "unreachable")
    assert [worker.number for worker in workers] == [1, 1]
    own_server.resume()

    own_bus.agree(2)
    assert own_bus.actions() == [("publish", 1), ("publish", 2)]


@pytest.mark.slow
@pytest.mark.parametrize("padding", [0, 200_000], ids=["small", "large"])
def test_a_server_that_hangs_while_changes_come_carries_out_each_at_most_once(
    own_bus: Bus, own_server: Server, padding: int
) -> None:
    publisher = own_bus.publisher(1)
    own_bus.worker()
    own_bus.agree(1)

    for number in range(2, scaled(5, 30)):
        own_bus.edit(publisher, number, padding=padding)
        own_server.pause()
        threading.Timer(0.3, own_server.resume).start()
        own_bus.agree(number)

    versions = [version for _, version in own_bus.actions()]
    assert versions == list(range(1, len(own_bus.story) + 1))


@pytest.mark.slow
def test_cut_connections_under_a_stream_of_changes_cost_nothing(own_bus: Bus, own_server: Server) -> None:
    cuts = scaled(100, 2000)
    publisher = own_bus.publisher(1, patience_s=5.0)
    for _ in range(3):
        own_bus.worker()
    own_bus.agree(1)

    number = 1
    for cut in range(cuts):
        if publisher.has_published(number):
            number += 1
            own_bus.edit(publisher, number)
        own_server.cut_connections(("pubsub", "normal", "all")[cut % 3])
    own_bus.agree(number)

    assert number > cuts / 20
    assert [version for _, version in own_bus.actions()] == list(range(1, number + 1))
