"""A Cluster: the namespace moves from node to node while everybody works, and a node dies and comes back."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import confbus
from confbus.errors import ConnectFailed, InvalidSettings, Refused
from confbus_publisher.cli.program import program
from support.bus import Bus
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.constellations import Nodes


LUA = Path(__file__).parents[2] / "lua"


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


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("redis-cli"), reason="redis-cli is not on PATH")
def test_a_rollback_by_hand_is_heard_in_a_cluster(cluster: Nodes, cluster_bus: Bus) -> None:
    # given
    bus, keys = cluster_bus, cluster_bus.keys
    bus.publish(1)
    bus.publish(2)
    worker = bus.worker()
    stranger = next(port for port in cluster.servers if port != cluster.owner(keys.head))

    # when
    releases = [keys.release(version) for version in (1, 3, 2)]
    named = [keys.head, *releases, keys.blobs, keys.log, keys.quarantine, keys.notices]
    words = [*named, ",", "ann", "it was bad", "SPUBLISH"]
    command = ["redis-cli", "-c", "-p", str(stranger), "--eval", str(LUA / "rollback.lua"), *words]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    bus.story.append(1)

    # then
    assert "rolled back" in said
    bus.agree(1)
    assert worker.config.status().counts.healed == 0


@pytest.mark.slow
def test_the_command_line_finds_the_node(cluster: Nodes, cluster_bus: Bus) -> None:
    cluster_bus.publish(1)
    done = CliRunner().invoke(
        program, ["status", "--url", cluster.url, "-n", cluster_bus.namespace, "--output", "json"]
    )

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["head"]["version"] == 1


@pytest.mark.slow
def test_a_node_of_a_cluster_says_which_url_it_wants(cluster: Nodes, cluster_bus: Bus) -> None:
    cluster_bus.publish(1)
    stranger = next(port for port in cluster.servers if port != cluster.owner(cluster_bus.keys.head))
    url = f"redis://127.0.0.1:{stranger}"

    with pytest.raises(ConnectFailed, match=r"MOVED .* write redis\+cluster://"):
        confbus.connect(url, namespace=cluster_bus.namespace, timeout_s=0.3)
    with Bus(url, cluster_bus.namespace, Path()) as lost, pytest.raises(Refused, match=r"write redis\+cluster://"):
        lost.ledger.refresh()


@pytest.mark.parametrize("url", ["redis+cluster://h/3", "redis+cluster://h:x", "redis+cluster://"])
def test_a_url_that_no_cluster_has_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"redis\+cluster://host-1"):
        Bus(url, "shop", tmp_path)
