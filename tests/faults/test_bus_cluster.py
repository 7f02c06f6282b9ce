"""A Cluster: the namespace moves from node to node while everybody works, and a node dies and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidSettings
from confbus_publisher.ledger import Ledger
from support.bus import Bus, document
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.constellations import Nodes


@pytest.fixture
def cluster_bus(cluster: Nodes, namespace: str, tmp_path: Path) -> Iterator[Bus]:
    with Bus(cluster.url, namespace, tmp_path) as bus:
        yield bus


@pytest.mark.slow
def test_a_namespace_that_moves_to_another_node_loses_nothing(cluster: Nodes, cluster_bus: Bus) -> None:
    # given
    bus, head = cluster_bus, cluster_bus.keys.head
    publisher = bus.publisher(1)
    plain, borrowed = bus.worker(), bus.worker(url=f"{cluster.url}?socket_timeout=1")
    bus.edit(publisher, 2)
    bus.agree(2)
    target = next(port for port in cluster.servers if port != cluster.owner(head))

    # when
    source = cluster.begin_move(head, to=target)
    bus.edit(publisher, 3)
    cluster.move_keys(head, source=source, to=target)
    assert plain.config.explain("number").version in {2, 3}  # read where its keys went, before the slot did
    bus.edit(publisher, 4)
    cluster.end_move(head, source=source, to=target)
    bus.edit(publisher, 5)

    # then
    bus.agree(5)
    assert cluster.owner(head) == target
    assert plain.config.status().counts.reconnects
    assert borrowed.config.status().counts.reconnects


@pytest.mark.slow
def test_notices_come_over_the_node_of_the_namespace(cluster: Nodes, cluster_bus: Bus) -> None:
    bus = cluster_bus
    publisher = bus.publisher(1)
    worker = bus.worker()

    for number in range(2, 6):
        bus.edit(publisher, number)
        eventually(lambda number=number: worker.number == number)  # type: ignore[misc]

    assert worker.config.status().counts.notices >= 4
    assert worker.config.status().counts.healed == 0
    assert publisher.publisher.ledger.store.listeners() == 1


@pytest.mark.slow
def test_a_node_that_dies_is_found_again(cluster: Nodes, cluster_bus: Bus) -> None:
    # given
    bus = cluster_bus
    publisher = bus.publisher(1)
    worker = bus.worker()
    server = cluster.servers[cluster.owner(bus.keys.head)]

    # when
    server.kill()
    bus.edit(publisher, 2)
    eventually(lambda: worker.state == "reconnecting")
    assert worker.number == 1
    server.restart()

    # then
    bus.agree(2, within_s=30)


@pytest.mark.slow
def test_what_people_do_works_in_a_cluster(cluster_bus: Bus) -> None:
    bus = cluster_bus
    bus.publish(1)
    worker = bus.worker()
    bus.publish(2)
    bus.agree(2)

    bus.rollback(to=1)

    bus.agree(1)
    assert worker.config.explain("number").value == 1
    assert worker.config.snapshot == document(1)
    assert isinstance(bus.ledger, Ledger)


@pytest.mark.parametrize("url", ["redis+cluster://h/3", "redis+cluster://h:x", "redis+cluster://"])
def test_a_url_that_no_cluster_has_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"redis\+cluster://host-1"):
        Bus(url, "shop", tmp_path)
