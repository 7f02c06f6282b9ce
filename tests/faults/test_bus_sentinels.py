"""Sentinels: the master dies, or hangs and comes back, and everybody follows to the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import confbus
from confbus.errors import ConnectFailed
from support.bus import TIMING, Bus
from support.constellations import Watched
from support.eventually import eventually
from support.servers import GENERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    binary = GENERATIONS[0].find()
    if binary is None:
        pytest.skip(GENERATIONS[0].absent)
    with Watched(binary, tmp_path) as watched:
        yield watched


@pytest.fixture
def watched_bus(watched: Watched, namespace: str, tmp_path: Path) -> Iterator[Bus]:
    with Bus(watched.url, namespace, tmp_path) as bus:
        yield bus


@pytest.mark.slow
def test_a_master_that_is_killed_is_replaced_for_everybody(watched: Watched, watched_bus: Bus) -> None:
    # given
    bus = watched_bus
    publisher = bus.publisher(1)
    worker = bus.worker()
    bus.worker(url=watched.url + "?socket_timeout=1")
    bus.edit(publisher, 2)
    bus.agree(2)
    port = watched.master_port

    # when
    watched.master.kill()
    bus.edit(publisher, 3)
    eventually(lambda: watched.master_port != port, within_s=30)

    # then
    bus.agree(3, within_s=30)
    assert worker.config.status().counts.reconnects


@pytest.mark.slow
def test_a_master_that_hangs_and_comes_back_is_left_for_the_new_one(watched: Watched, watched_bus: Bus) -> None:
    # given
    bus = watched_bus
    publisher = bus.publisher(1)
    bus.worker()
    bus.edit(publisher, 2)
    bus.agree(2)
    port, old = watched.master_port, watched.master

    # when
    old.pause()
    try:
        bus.edit(publisher, 3)
        eventually(lambda: watched.master_port != port, within_s=30)
        bus.agree(3, within_s=30)
    finally:
        old.resume()
    bus.edit(publisher, 4)

    # then
    bus.agree(4, within_s=30)


@pytest.mark.slow
def test_an_unknown_service_and_sentinels_that_are_away_are_the_reason(watched: Watched) -> None:
    unknown = watched.url.replace("/config/", "/other/")
    with pytest.raises(ConnectFailed, match=r"no Sentinel leads to the master of 'other' \(.* does not know it"):
        confbus.connect(unknown, namespace="shop", timeout_s=0.5, timing=TIMING)

    for sentinel in watched.sentinels:
        sentinel.stop()
    with pytest.raises(ConnectFailed, match=r"Sentinel 127.0.0.1:\d+: Connection refused"):
        confbus.connect(watched.url, namespace="shop", timeout_s=0.5, timing=TIMING)
