"""Sentinels: the master dies, or hangs and comes back, and everybody follows to the new one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.errors import ConnectFailed
from support.bus import TIMING, Bus
from support.constellations import SERVICE, Watch, Watched, free_ports
from support.eventually import eventually
from support.scale import scaled
from support.server import Server
from support.servers import GENERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FAULTS: tuple[Callable[[Server], None], ...] = (Server.kill, Server.pause)[: scaled(test=1, soak=2)]


@pytest.fixture
def binary() -> Path:
    found = GENERATIONS[0].find()
    if found is None:
        pytest.skip(GENERATIONS[0].absent)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_master_that_fails_is_left_for_the_new_one(
    fault: Callable[[Server], None], binary: Path, namespace: str, tmp_path: Path
) -> None:
    with Watched(binary, tmp_path) as watched, Bus(watched.url, namespace, tmp_path) as bus:
        # given
        publisher = bus.publisher(1)
        worker = bus.worker()
        bus.worker(url=watched.url + "?socket_timeout=1")
        bus.edit(publisher, 2)
        bus.agree(2)
        port, old = watched.master_port, watched.master

        # when
        fault(old)
        bus.edit(publisher, 3)
        eventually(lambda: watched.master_port != port, within_s=30)
        bus.agree(3, within_s=30)
        if old.is_running:
            old.resume()  # it takes itself for the master still
        bus.edit(publisher, 4)

        # then
        bus.agree(4, within_s=30)
        assert worker.config.status().counts.reconnects


@pytest.mark.slow
def test_a_master_that_was_replaced_is_left_though_it_answers(binary: Path, namespace: str, tmp_path: Path) -> None:
    # given
    old_port, new_port, port = free_ports(3)
    with ExitStack() as stack:
        old = Server(binary, data=tmp_path / "old", port=old_port, extra={"repl-diskless-sync-delay": "0"})
        stack.callback(old.stop)
        new = Server(binary, data=tmp_path / "new", port=new_port, extra={"replicaof": f"127.0.0.1 {old_port}"})
        stack.callback(new.stop)
        watch = Watch(binary, tmp_path / "sentinel.conf", port=port, master=old_port)
        stack.callback(watch.stop)
        eventually(lambda: watch.is_up)
        before = stack.enter_context(Bus(old.url, namespace, tmp_path))
        before.publish(1)
        worker = before.worker(url=f"redis+sentinel://127.0.0.1:{port}/{SERVICE}")
        copy: Any = new.client()
        eventually(lambda: copy.exists(before.keys.head))
        after = stack.enter_context(Bus(new.url, namespace, tmp_path))
        after.story, after.workers = [1], [worker]

        # when
        copy.replicaof("NO", "ONE")
        watch.ask("SENTINEL", "REMOVE", SERVICE)
        watch.ask("SENTINEL", "MONITOR", SERVICE, "127.0.0.1", str(new_port), "2")
        after.publish(2)

        # then
        after.agree(2)
        after.publish(3)
        after.agree(3)


@pytest.mark.slow
def test_an_unknown_service_and_sentinels_that_are_away_are_the_reason(binary: Path, tmp_path: Path) -> None:
    port, master = free_ports(2)
    watch = Watch(binary, tmp_path / "sentinel.conf", port=port, master=master)
    url = f"redis+sentinel://127.0.0.1:{port}"
    try:
        eventually(lambda: watch.is_up)
        with pytest.raises(ConnectFailed, match=r"no Sentinel leads to the master of 'other' \(.* does not know it"):
            confbus.connect(f"{url}/other", namespace="shop", timeout_s=0.3, timing=TIMING)
        with pytest.raises(ConnectFailed, match=rf"127\.0\.0\.1:{master}: Connection refused"):
            confbus.connect(f"{url}/{SERVICE}", namespace="shop", timeout_s=0.3, timing=TIMING)
    finally:
        watch.stop()
    with pytest.raises(ConnectFailed, match=rf"Sentinel 127\.0\.0\.1:{port}: Connection refused"):
        confbus.connect(f"{url}/{SERVICE}", namespace="shop", timeout_s=0.3, timing=TIMING)
