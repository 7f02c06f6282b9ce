"""A publisher dies in the middle of a change, or its connection does: all of the change is made or none, and once."""

from __future__ import annotations

import json
import random
import signal
from itertools import count
from typing import TYPE_CHECKING

import pytest

from confbus.errors import OutcomeUnknown
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger.redis import RedisStore
from support.bus import Edits, dies, digest_of, document
from support.eventually import eventually
from support.scale import scaled
from support.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confbus.testing import Proxy
    from confbus_publisher.layer import Layer
    from confbus_publisher.ledger.store import Commit
    from support.bus import Bus
    from support.server import Server


def versions(bus: Bus) -> list[int]:
    return [version for _, version in bus.actions()]


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
        publisher, _ = bus.resting_publisher(number)
        was_killed = dies(publisher, at=step, has_sent=has_sent)
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


class Interrupted(Edits):
    """A source that is read just when its publisher is told to stop."""

    stop: Callable[[], object]

    def load(self) -> Layer:
        self.stop()
        return super().load()


def test_a_publisher_that_is_told_to_stop_in_the_middle_of_a_turn_finishes_it(bus: Bus) -> None:
    publisher, _ = bus.resting_publisher(1)
    source = Interrupted(document(1))
    source.stop = publisher.stop
    publisher.inputs = Inputs([source], limit_bytes=10_000)

    publisher.run()

    assert bus.actions() == [("publish", 1)]
    assert bus.ledger.store.lease() == ""
    assert bus.ledger.store.fleet() == {}
    publisher.ledger.store.close()


class DeafStore(RedisStore):
    """A store that carries every change out, and never hears of it."""

    def commit(self, commit: Commit) -> str:
        super().commit(commit)
        raise OutcomeUnknown("the change", commit.head.change, "TimeoutError")


def test_a_publisher_that_never_hears_what_came_of_a_change_looks_and_makes_it_once(bus: Bus) -> None:
    bus.publisher(1).stop()
    bus.worker()
    publisher, _ = bus.resting_publisher(2)
    publisher.ledger.store.close()
    publisher.ledger.store = DeafStore(bus.client, bus.keys, where=bus.url)

    publisher.turn()
    assert publisher.standing.state == "unreachable"
    assert "`confbus history` tells" in publisher.standing.why
    publisher.turn()

    assert publisher.standing.state == "in step"
    bus.agree(2)
    assert bus.actions() == [("publish", 1), ("publish", 2)]


@pytest.mark.slow
@pytest.mark.parametrize(("replies", "turn"), [(False, 3400), (True, 2000)], ids=["requests", "replies"])
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
