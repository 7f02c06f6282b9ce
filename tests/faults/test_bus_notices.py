"""A notice is a hint: losing one costs a moment, and no message can do harm."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from confbus.wire import codec
from confbus.wire import head as heads
from confbus.wire.keys import Keys
from confbus.wire.notice import HINT, Notice
from confbus_publisher.ledger import Ledger
from confbus_publisher.ledger.redis import RedisStore
from support.bus import OPERATOR, document
from support.eventually import eventually
from support.places import encoded
from support.scale import scaled

if TYPE_CHECKING:
    from confbus.testing import Proxy
    from support.bus import Bus, Worker
    from support.server import Server

FACTS: dict[str, Any] = {**heads.first(version=9, digest="ab", merged="").fields(), "base": "", "sections": {}}
NESTED = b"\x91" * 1000 + b"\x90"
"""A list in a list in a list …: few bytes, and more levels than Python's stack has."""


def garbage() -> list[bytes]:
    """What no publisher sends: noise, and msgpack that is nearly a notice."""
    rng = random.Random(1)
    noise = [rng.randbytes(rng.randrange(200)) for _ in range(100)]
    shapes: list[Any] = [None, 7, "", [], {"epoch": 1}, {b"\xff": 1}, FACTS, FACTS | {"at": 0, "jitter_ms": "soon"}]
    wrong: dict[str, list[Any]] = {
        "sections": [7, {"web": 7}, "web"],
        "at": [float("inf"), None],
        "jitter_ms": [[]],
        "revision": [-1, "-1"],
    }
    shapes += [FACTS | {"at": 0, "jitter_ms": 0, name: value} for name, values in wrong.items() for value in values]
    packed = [codec.pack(shape) for shape in shapes]
    nested = codec.pack(FACTS | {"at": 0, "jitter_ms": 0, "base": None})
    return [*noise, *packed, NESTED, nested.replace(b"base\xc0", b"base" + NESTED), b"\x81" * 1_000_000]


def unheard(bus: Bus, server: Server) -> Ledger:
    """A ledger whose notices go to a channel where nobody listens."""
    ledger = Ledger(RedisStore(server.client(), Keys(bus.namespace, database=99), where="the test's server"))
    ledger.refresh()
    return ledger


def healed(worker: Worker) -> int:
    return worker.config.status().counts.healed


@pytest.mark.parametrize("padding", [0, 20_000], ids=["carried by the notice", "fetched"])
def test_a_change_is_read_by_all_when_it_is_announced(bus: Bus, padding: int) -> None:
    publisher = bus.publisher(1, padding=padding)
    workers = [bus.worker() for _ in range(3)]
    bus.agree(1)
    before = [worker.config.status().counts.fetches for worker in workers]

    bus.edit(publisher, 2, padding=padding)
    bus.agree(2)

    fetches = [worker.config.status().counts.fetches for worker in workers]
    assert fetches == [each + bool(padding) for each in before]
    assert [healed(worker) for worker in workers] == [0, 0, 0]


def test_a_change_without_a_notice_is_found_by_the_next_poll_and_counted(bus: Bus, server: Server) -> None:
    bus.publish(1)
    workers = [bus.worker(), bus.worker()]

    bus.story.append(2)
    unheard(bus, server).publish(encoded(document(2)), OPERATOR)
    bus.agree(2)

    eventually(lambda: [healed(worker) for worker in workers] == [1, 1])
    assert [worker.config.status().counts.notices for worker in workers] == [0, 0]


def test_a_third_of_all_notices_is_lost_and_all_agree_in_the_end(bus: Bus, proxy: Proxy) -> None:
    publisher = bus.publisher(1)
    proxy.drop_notices(share=0.3, seed=1)
    workers = [bus.worker(url=proxy.url) for _ in range(3)]
    bus.agree(1)

    last = scaled(test=15, soak=300)
    for number in range(2, last + 1):
        bus.edit(publisher, number)
        eventually(lambda number=number: publisher.has_published(number))  # type: ignore[misc]
    bus.agree(last)

    heard = [worker.config.status().counts.notices for worker in workers]
    assert 0 < sum(heard) < 3 * (last - 1)


def test_whoever_lost_a_notice_hears_the_next_one(bus: Bus, server: Server) -> None:
    bus.publish(1)
    worker = bus.worker()
    bus.story += [2, 3]
    unheard(bus, server).publish(encoded(document(2)), OPERATOR)
    eventually(lambda: healed(worker) == 1 and worker.state == "live")

    bus.ledger.refresh()
    bus.ledger.publish(encoded(document(3)), OPERATOR)
    bus.agree(3)

    assert worker.config.status().counts.notices == 1
    assert healed(worker) == 1


def test_a_change_right_after_the_listening_connection_was_cut_is_not_missed(bus: Bus, server: Server) -> None:
    publisher = bus.publisher(1)
    workers = [bus.worker() for _ in range(3)]
    bus.agree(1)

    for number in range(2, 12):
        server.cut_connections("pubsub")
        bus.edit(publisher, number)
        eventually(lambda number=number: publisher.has_published(number))  # type: ignore[misc]
    bus.agree(11)

    assert all(worker.config.status().counts.reconnects for worker in workers)


def test_garbage_on_the_channel_is_counted_and_changes_nothing(bus: Bus, server: Server) -> None:
    publisher = bus.publisher(1)
    worker = bus.worker()
    bus.agree(1)
    messages = garbage()

    for message in messages:
        server.client().publish(bus.keys.notices, message)
    eventually(lambda: worker.config.status().counts.malformed == len(messages), describe=worker.config.status)

    assert worker.config.status().counts.applied == 1
    bus.agree(1)
    bus.edit(publisher, 2)
    bus.agree(2)


def test_notices_that_come_again_and_out_of_order_change_nothing(bus: Bus, server: Server) -> None:
    publisher = bus.publisher(1)
    worker = bus.worker()
    client: Any = server.client()
    listener = client.pubsub()
    listener.subscribe(bus.keys.notices)
    bus.agree(1)
    for number in range(2, 32):
        bus.edit(publisher, number)
        bus.agree(number)
    messages = [message["data"] for message in iter(lambda: listener.get_message(timeout=0.1), None)][1:]

    random.Random(1).shuffle(messages)
    for message in [*messages, HINT, *messages]:
        client.publish(bus.keys.notices, message)
    eventually(lambda: worker.config.status().counts.notices == 30 + 61, describe=worker.config.status)

    assert worker.config.status().counts.applied == 31
    bus.agree(31)
    listener.close()


def test_a_notice_whose_content_is_not_what_it_claims_is_not_believed(bus: Bus, server: Server) -> None:
    bus.publish(1)
    worker = bus.worker()
    head = bus.ledger.state and bus.ledger.state.head
    assert head
    forged = Notice(head.next(version=2, digest="ab" * 32, merged=""), sections={"web": b"\x81\xa6number\x02"})

    server.client().publish(bus.keys.notices, forged.encode())
    eventually(lambda: worker.config.status().counts.notices == 1)

    bus.agree(1)


@pytest.mark.slow
def test_a_network_that_stalls_is_noticed_and_waited_out(proxy: Proxy, bus: Bus) -> None:
    publisher = bus.publisher(1)
    worker = bus.worker(url=proxy.url)
    bus.worker()
    bus.agree(1)

    proxy.stall()
    bus.edit(publisher, 2)
    eventually(lambda: worker.state == "reconnecting")
    assert worker.number == 1
    proxy.flow()

    bus.agree(2)


@pytest.mark.slow
def test_a_connection_that_was_closed_for_reading_alone_is_made_again(proxy: Proxy, bus: Bus) -> None:
    publisher = bus.publisher(1)
    worker = bus.worker(url=proxy.url)
    bus.agree(1)

    proxy.half_close()
    bus.edit(publisher, 2)

    bus.agree(2)
    assert worker.config.status().counts.reconnects
