"""A notice is a hint: losing one costs a moment, and no message can do harm."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgpack
import pytest

from confbus.wire import notice as notices
from support.eventually import eventually
from support.proxy import Proxy
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.bus import Bus
    from support.server import Server

NUMBERS_OF_GARBAGE = 200


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.url) as proxy:
        yield proxy


@pytest.mark.parametrize("padding", [0, 20_000], ids=["carried by the notice", "fetched"])
def test_a_change_is_read_by_all_as_soon_as_it_is_announced(bus: Bus, padding: int) -> None:
    publisher = bus.publisher(1, padding=padding)
    workers = [bus.worker() for _ in range(3)]
    bus.agree(1)
    fetches = [worker.config.status().counts.fetches for worker in workers]

    bus.edit(publisher, 2, padding=padding)
    bus.agree(2)

    fetched = [worker.config.status().counts.fetches - before for worker, before in zip(workers, fetches, strict=True)]
    assert fetched == [1 if padding else 0] * 3
    assert [worker.config.status().counts.healed for worker in workers] == [0, 0, 0]


