"""Somebody writes over what is in Redis, or deletes a part of it: no worker believes it, and who remembers mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus import Subscriber
from confbus.errors import ConnectFailed
from confbus.wire.head import PROTOCOL
from support.bus import TIMING
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.wire.keys import Keys
    from support.bus import Bus
    from support.server import Server

    Deed = Callable[[Any, Keys], object]

LOSSES: dict[str, Deed] = {
    "the head is gone": lambda client, keys: client.delete(keys.head),
    "the head names another content": lambda client, keys: client.hset(keys.head, "digest", "ab" * 32),
    "the release is gone": lambda client, keys: client.delete(keys.release(2)),
    "the release is something else": lambda client, keys: client.set(keys.release(2), "else"),
    "the release is another one": lambda client, keys: client.hset(keys.release(2), "section:web", "ab" * 32),
    "a blob is gone": lambda client, keys: client.hdel(keys.blobs, blob_of_web(client, keys)),
    "all blobs are gone": lambda client, keys: client.delete(keys.blobs),
}
NOISE: dict[str, Deed] = {
    "no epoch": lambda client, keys: client.hdel(keys.head, "epoch"),
    "a version that is no number": lambda client, keys: client.hset(keys.head, "version", "two"),
    "a negative revision": lambda client, keys: client.hset(keys.head, "revision", "-1"),
    "bytes that are no text": lambda client, keys: client.hset(keys.head, mapping={b"\xff": b"\xfe", "epoch": b"\xff"}),
    "a string": lambda client, keys: client.set(keys.head, "else"),
}


def blob_of_web(client: Any, keys: Keys) -> str:
    return str(client.hget(keys.release(2), "section:web"))


@pytest.fixture
def text_client(server: Server) -> Any:
    return server.client(decode_responses=True)


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_loss_of_a_part_is_mended(bus: Bus, text_client: Any, loss: Deed) -> None:
    publisher = bus.publisher(1)
    bus.worker()
    bus.agree(1)
    bus.edit(publisher, 2)
    bus.agree(2)

    loss(text_client, bus.keys)
    eventually(lambda: bus.actions()[-1] == ("restore", 3))
    bus.worker()
    bus.agree(2)

    bus.edit(publisher, 3)
    bus.agree(3)


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_a_head_of_noise_is_left_alone_until_somebody_deletes_it(bus: Bus, text_client: Any, noise: Deed) -> None:
    publisher = bus.publisher(1)
    worker = bus.worker()
    bus.agree(1)

    noise(text_client, bus.keys)
    bus.edit(publisher, 2)
    eventually(lambda: publisher.state == "refused" and worker.state == "lost")
    assert worker.number == 1
    text_client.delete(bus.keys.head)

    bus.agree(2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["blobs", "log", "quarantine", "fleet"])
def test_a_key_of_another_type_is_not_written_over(bus: Bus, text_client: Any, name: str) -> None:
    publisher = bus.publisher(1)
    worker = bus.worker()
    bus.agree(1)
    key = getattr(bus.keys, name)

    text_client.set(key, "else")
    bus.edit(publisher, 2)
    eventually(lambda: publisher.state == "refused")
    assert (worker.number, text_client.get(key)) == (1, "else")
    assert "elete or rename" in publisher.why
    text_client.delete(key)

    bus.agree(2)


def test_a_head_for_newer_readers_is_left_to_them(bus: Bus, text_client: Any) -> None:
    publisher = bus.publisher(1)
    worker = bus.worker()
    bus.agree(1)
    known = text_client.hgetall(bus.keys.head)
    newer = {"revision": "2", "change": "ab", "protocol": str(PROTOCOL + 1), "readable_by": str(PROTOCOL + 1)}

    text_client.hset(bus.keys.head, mapping=newer)
    bus.edit(publisher, 2)
    eventually(lambda: publisher.state == "refused" and worker.state == "outdated")

    assert f"protocol {PROTOCOL + 1}" in publisher.why
    assert f"needs protocol {PROTOCOL + 1}, this process reads {PROTOCOL}" in worker.config.status().error
    assert (worker.number, text_client.hget(bus.keys.head, "change")) == (1, "ab")
    text_client.hset(bus.keys.head, mapping=known)
    bus.agree(2)


def test_altered_content_is_read_by_nobody_and_asked_for_no_oftener_than_the_poll_says(
    bus: Bus, text_client: Any
) -> None:
    publisher = bus.publisher(1)
    bus.worker()
    bus.edit(publisher, 2)
    bus.agree(2)

    text_client.hset(bus.keys.blobs, blob_of_web(text_client, bus.keys), b"\x81\xa6number\x07")
    with Subscriber(bus.url, namespace=bus.namespace, timing=TIMING) as late:
        late.follow()
        eventually(lambda: "section 'web'" in late.status().error)
        with pytest.raises(ConnectFailed, match="its bytes do not have its digest"):
            late["number"]
        assert late.status().counts.fetches <= 2
    bus.agree(2)

    bus.edit(publisher, 3)
    bus.worker()
    bus.agree(3)
