"""Subscribers of one server share a thread and its connections, and none suffers from another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

import confbus
from support.bus import TIMING, Bus
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus.testing import Proxy
    from support.server import Server


@pytest.fixture
def other(server: Server, namespace: str, tmp_path: Path) -> Iterator[Bus]:
    """Another namespace on the server of `bus`."""
    with Bus(server.url, f"{namespace}-other", tmp_path / "other") as other:
        yield other


def test_two_namespaces_of_one_server_are_followed_by_one_thread(bus: Bus, other: Bus) -> None:
    publisher, other_publisher = bus.publisher(1), other.publisher(1)
    before = threading.active_count()

    worker, other_worker = bus.worker(url=bus.url), other.worker(url=bus.url)

    assert threading.active_count() == before + 1
    bus.edit(publisher, 2)
    other.edit(other_publisher, 3)
    bus.agree(2)
    other.agree(3)
    worker.config.close()
    other.edit(other_publisher, 4)
    eventually(lambda: other_worker.number == 4)
    other_worker.config.close()
    eventually(lambda: threading.active_count() == before)


def test_a_cut_connection_is_made_again_for_all_that_share_it(bus: Bus, other: Bus, proxy: Proxy) -> None:
    publisher, other_publisher = bus.publisher(1), other.publisher(1)
    bus.worker(url=proxy.url)
    other.worker(url=proxy.url)

    for number in range(2, 6):
        proxy.sever()
        bus.edit(publisher, number)
        other.edit(other_publisher, number)
        bus.agree(number)
        other.agree(number)


def test_a_second_subscriber_of_a_namespace_follows_by_itself(bus: Bus) -> None:
    publisher = bus.publisher(1)
    first = confbus.connect(bus.url, namespace=bus.namespace, timing=TIMING)
    second = confbus.connect(bus.url, namespace=bus.namespace, timing=TIMING)

    first.close()
    bus.edit(publisher, 2)

    eventually(lambda: second["number"] == 2)
    assert first["number"] == 1
    second.close()
