"""A publisher dies in the middle of a change, or its connection does: all of the change is made or none, and once."""

from __future__ import annotations

import random
import signal
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from confbus.wire.head import Head
from support.bus import Killed, MortalStore, digest_of, document
from support.daemon import Daemon
from support.eventually import eventually
from support.proxy import Proxy
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.bus import Bus
    from support.server import Server


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.url) as proxy:
        yield proxy


def versions(bus: Bus) -> list[int]:
    return [version for _, version in bus.actions()]


def dies(bus: Bus, number: int, *, at: int, has_sent: bool) -> bool:
    """A publisher starts after its source was edited to `number`, and dies at its call `at`, if there is one."""
    publisher, _ = bus.resting_publisher(number)
    store = publisher.ledger.store
    assert isinstance(store, MortalStore)
    store.dies_at, store.has_sent = at, has_sent
    try:
        publisher.turn()
    except Killed:
        return True
    finally:
        store.close()
    return False


@pytest.mark.parametrize("has_sent", [False, True], ids=["before it asks", "before it hears"])
def test_a_publisher_that_dies_at_any_step_leaves_all_of_a_change_or_nothing(
    bus: Bus, server: Server, has_sent: bool
) -> None:
    bus.publisher(1).stop()
    bus.worker()
    bus.agree(1)

    made: list[bool] = []
    for step in count():
        number = step + 2
        was_killed = dies(bus, number, at=step, has_sent=has_sent)
        state = bus.ledger.refresh()
        assert state
        assert bus.ledger.is_whole()
        made.append(state.release.digest == digest_of(number))
        if not was_killed:
            break
        server.client().delete(bus.keys.lease)  # it runs out
        heir = bus.publisher(number)
        bus.agree(number)
        heir.stop()

    assert made == sorted(made)
    assert {False, True} <= set(made)
    assert versions(bus) == list(range(1, len(made) + 2))


@pytest.mark.parametrize("replies", [False, True], ids=["requests", "replies"])
def test_a_connection_that_breaks_at_any_byte_makes_a_change_once(bus: Bus, proxy: Proxy, replies: bool) -> None:
    publisher = bus.publisher(1, url=proxy.url, patience_s=5.0)
    bus.worker()
    bus.agree(1)
    longest = 2500 if not replies else 600

    number = 1
    for length in range(0, longest, scaled(125, 3)):
        number += 1
        proxy.sever_after(length, replies=replies)
        bus.edit(publisher, number)
        bus.agree(number)

    assert versions(bus) == list(range(1, number + 1))


def test_a_change_whose_reply_was_lost_is_not_published_again(bus: Bus, proxy: Proxy, server: Server) -> None:
    publisher = bus.publisher(1, url=proxy.url, patience_s=5.0)
    bus.worker()
    bus.agree(1)

    proxy.drop_replies()
    bus.edit(publisher, 2)
    proxy.sever()
    eventually(lambda: proxy.connections)
    proxy.flow()
    proxy.sever()

    bus.agree(2)
    assert versions(bus) == [1, 2]


@pytest.mark.slow
def test_a_publisher_that_is_killed_again_and_again_publishes_each_edit_at_most_once(
    bus: Bus, tmp_path: Path
) -> None:
    rng = random.Random(1)
    with Daemon(bus.url, bus.namespace, tmp_path / "daemon") as daemon:

        def write(number: int) -> None:
            bus.story.append(number)
            daemon.write(document(number))

        write(1)
        daemon.start()
        bus.worker()
        for number in range(2, scaled(4, 40)):
            bus.agree(number - 1)
            write(number)
            bus.ledger.store.time_ms()
            eventually(lambda: rng.random() < 0.2)
            daemon.signal(signal.SIGKILL)
            daemon.start()
            bus.agree(number)
        assert daemon.signal(signal.SIGTERM) == 0

    assert versions(bus) == list(range(1, len(bus.story) + 1))
    assert bus.ledger.store.lease() == ""
