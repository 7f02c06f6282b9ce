"""A publisher dies in the middle of a change, or its connection does: all of the change is made or none, and once."""

from __future__ import annotations

import json
import random
import signal
from itertools import count
from typing import TYPE_CHECKING

import pytest

from support.bus import Killed, MortalStore, digest_of, document
from support.eventually import eventually
from support.proxy import Proxy
from support.scale import scaled
from support.shop import Shop

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


@pytest.mark.slow
@pytest.mark.parametrize(("replies", "turn"), [(False, 3000), (True, 1800)], ids=["requests", "replies"])
def test_a_connection_that_breaks_at_any_byte_makes_a_change_once(
    proxy: Proxy, bus: Bus, replies: bool, turn: int
) -> None:
    """`turn` is more than the bytes of one turn of the publisher that publishes; its last reply has 26 of them."""
    publisher = bus.publisher(1, url=proxy.url, patience_s=5.0)
    bus.worker()
    bus.agree(1)

    number = 1
    for length in range(0, turn, scaled(25, 7)):
        number += 1
        proxy.sever_after(length, replies=replies)
        bus.edit(publisher, number)
        bus.agree(number)

    assert versions(bus) == list(range(1, number + 1))


@pytest.mark.slow
def test_a_publisher_that_is_killed_again_and_again_publishes_each_edit_once(bus: Bus, tmp_path: Path) -> None:
    rng = random.Random(1)
    shop = Shop(tmp_path, bus.namespace, url=bus.url)
    memory = tmp_path / ".confbus" / f"state-{bus.namespace}"

    def edit(number: int) -> None:
        bus.story.append(number)
        shop.write(json.dumps(document(number)))

    edit(1)
    with shop.start("run"):
        bus.worker()
        bus.agree(1)
        eventually(memory.exists)
        edit(2)
    for number in range(2, scaled(4, 40)):
        with shop.start("run") as daemon:
            eventually(lambda daemon=daemon: f":{daemon.process.pid}:" in bus.ledger.store.lease())  # type: ignore[misc]
            bus.agree(number)
            edit(number + 1)
            for _ in range(rng.randrange(500)):  # a moment, as long as the server takes for that
                bus.ledger.store.time_ms()
            daemon.end(signal.SIGKILL)
    with shop.start("run") as daemon:
        bus.agree(bus.story[-1])
        daemon.says("in step")
        assert daemon.end(signal.SIGTERM) == 0

    assert versions(bus) == bus.story
    assert bus.ledger.store.lease() == ""
