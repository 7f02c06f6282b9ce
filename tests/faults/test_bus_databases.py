"""A copy of production in another database of the same server: pub/sub knows no databases, but confbus does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.bus import Bus
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.server import Server

COPY = 1


@pytest.fixture
def copy(bus: Bus, server: Server, tmp_path: Path) -> Iterator[Bus]:
    """The bus of what `bus` becomes in database 1, once somebody copied it there."""
    with Bus(server.url.replace("db=0", f"db={COPY}"), bus.namespace, tmp_path / "copy") as copy:
        yield copy


def copy_all(bus: Bus, server: Server) -> None:
    client: Any = server.client()
    for key in client.scan_iter(match=f"*{{{bus.namespace}}}*"):
        assert client.copy(key, key, destination_db=COPY)


def test_each_database_is_followed_by_its_own_workers(bus: Bus, copy: Bus, server: Server) -> None:
    production = bus.publisher(1)
    bus.worker()
    bus.agree(1)
    copy_all(bus, server)
    copy.story.append(1)
    copy.worker()
    trial = copy.publisher(1)
    copy.agree(1)

    for number in range(2, 7):
        bus.edit(production, number)
        copy.edit(trial, 100 + number)
        bus.agree(number)
        copy.agree(100 + number)

    assert bus.actions()[-1] == copy.actions()[-1] == ("publish", 6)
    notices = [worker.config.status().counts.notices for each in (bus, copy) for worker in each.workers]
    assert notices == [5, 5]


def test_a_flush_of_the_copy_is_no_loss_of_the_other(bus: Bus, copy: Bus, server: Server) -> None:
    bus.publisher(1)
    worker = bus.worker()
    bus.agree(1)
    copy_all(bus, server)
    copy.story.append(1)
    stuck = copy.worker()

    copy.client.flushdb()
    eventually(lambda: stuck.state == "lost")

    assert worker.state == "live"
    bus.agree(1)
    assert bus.actions() == [("publish", 1)]
