"""The same configuration in an event loop: whatever it waits for, the loop goes on."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import pytest

import confbus
from confbus.errors import ConfigRefused, ConnectFailed, WaitTimeout
from confbus.testing import Proxy
from support.bus import TIMING, document
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from confbus import Subscriber
    from support.bus import Bus
    from support.server import Server


def connecting(bus: Bus, url: str = "", **options: object) -> Awaitable[Subscriber]:
    return confbus.aconnect(url or bus.url, namespace=bus.namespace, timing=TIMING, **options)  # type: ignore[arg-type]  # each test gives what there is


class Ticking:
    """A task that counts the turns of its loop."""

    def __init__(self) -> None:
        self.turns = 0
        self._task = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)

    def stop(self) -> None:
        self._task.cancel()


def test_a_task_connects_reads_and_closes(bus: Bus) -> None:
    bus.publish(1)

    async def use() -> None:
        async with await connecting(bus) as config:
            assert config.snapshot == document(1)
            bus.publish(2)
            snapshot = await config.wait_for_async(version=2)
            assert snapshot["number"] == 2
        assert config.status().state == "closed"

    asyncio.run(use())


def test_the_loop_goes_on_while_a_server_says_nothing(bus: Bus, server: Server) -> None:
    bus.publish(1)

    async def use() -> int:
        ticking = Ticking()
        with Proxy(server.url) as proxy:
            proxy.stall()
            with pytest.raises(ConnectFailed):
                await connecting(bus, proxy.url, timeout_s=0.3)
        ticking.stop()
        return ticking.turns

    assert asyncio.run(use()) > 100


def test_a_task_that_is_cancelled_while_it_connects_leaves_nothing_behind(bus: Bus) -> None:
    before = threading.active_count()

    async def use() -> None:
        connect = asyncio.ensure_future(connecting(bus))
        await asyncio.sleep(0.05)
        connect.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connect

    asyncio.run(use())

    eventually(lambda: threading.active_count() <= before)


def test_a_wait_in_vain_ends_in_time_and_says_what_runs(bus: Bus) -> None:
    bus.publish(1)

    async def use() -> None:
        async with await connecting(bus) as config:
            with pytest.raises(WaitTimeout, match="Version 9"):
                await config.wait_for_async(version=9, timeout=0.1)

    asyncio.run(use())


def test_a_start_in_a_loop_takes_what_is_on_disk_and_is_refused_as_any_other(bus: Bus, tmp_path: Path) -> None:
    bus.publish(1)
    path = tmp_path / "good"
    confbus.connect(bus.url, namespace=bus.namespace, fallback=path).close()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"redis://127.0.0.1:{closed.getsockname()[1]}/0"

    def refuse(_snapshot: object) -> None:
        raise ValueError("never")

    async def use() -> None:
        async with await connecting(bus, nowhere, fallback=path, timeout_s=0.1) as config:
            assert config["number"] == 1
            assert config.status().state == "cached"
        async with await connecting(bus, nowhere, fallback=path, start="cached") as config:
            assert config["number"] == 1
        with pytest.raises(ConfigRefused, match="never"):
            await connecting(bus, validators=[refuse])
        with pytest.raises(ConnectFailed, match="refused"):
            await connecting(bus, nowhere, start="fail")

    asyncio.run(use())
