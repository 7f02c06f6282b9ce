"""From the call to a readable value, beside the least that a subscriber by hand needs: bare redis-py, all inline.

Its publisher packs the changed section of 1 KB, sends SET and PUBLISH of it in one pipeline, and its reader has a
thread in `get_message` that unpacks the message and puts it in place: no versions, no gaps noticed, nothing proved.
Readers are processes of their own; an idle one looks every 50 µs, a busy one does nothing but read, and so holds the
interpreter as a worker at its limit does.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import redis

import confbus
from bench.propagation import POLL_S, ROUNDS, Peer, bus_writer, poll
from bench.rounds import Row, interleave, rows
from bench.worlds import NAMESPACE, document
from confbus.client import make_client
from confbus.wire import codec
from confbus.wire.frozen import thaw
from confbus_publisher import embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

_CHANNEL = "inline"
_SIZE_BYTES, _SECTIONS = 100 * 1024, 100


def run() -> Iterator[Row]:
    """Milliseconds for one changed section of 1 KB; the first row of each two is the floor of the other."""
    context = multiprocessing.get_context("spawn")
    document_of = document(_SIZE_BYTES, sections=_SECTIONS)
    for reader, pause_s in {"an idle reader": POLL_S, "a busy reader": None}.items():
        by_hand, by_bus = partial(_by_hand, pause_s=pause_s), partial(_by_bus, pause_s=pause_s)
        with ExitStack() as stack:
            one, other = (stack.enter_context(embedded.start(port=0)).url for _ in range(2))
            ours = f"confbus, {reader}"
            peers = {
                f"redis-py inline, {reader}": Peer(context, by_hand, one, _inline_writer(one, thaw(document_of))),
                ours: Peer(context, by_bus, other, bus_writer(other, document_of)),
            }
            for peer in peers.values():
                stack.callback(peer.end)
                peer.warm_up()
            figures = interleave({name: peer.measure for name, peer in peers.items()}, ROUNDS // 2)
        yield from rows(figures, unit="ms", targets={ours: "aim: 0.8"})


def _inline_writer(url: str, whole: dict[str, Any]) -> Callable[[int], float]:
    client: Any = make_client(url)
    section = next(iter(whole.values()))

    def write(value: int) -> float:
        section["value"] = value
        started = time.monotonic()
        blob = codec.msgpack.packb(section)
        with client.pipeline(transaction=False) as pipeline:
            pipeline.set(_CHANNEL, blob).publish(_CHANNEL, blob).execute()
        return started

    return write


def _by_hand(url: str, pipe: Connection, pause_s: float | None) -> None:
    client: Any = redis.Redis.from_url(url, protocol=2)
    pubsub = client.pubsub()
    pubsub.subscribe(_CHANNEL)
    last: list[dict[str, Any]] = [{"value": 0}]

    def listen() -> None:
        while True:
            message = pubsub.get_message(timeout=1.0)
            if message and message["type"] == "message":
                last[0] = codec.msgpack.unpackb(message["data"])

    threading.Thread(target=listen, daemon=True).start()
    time.sleep(0.2)
    poll(lambda: int(last[0]["value"]), pipe, pause_s=pause_s)


def _by_bus(url: str, pipe: Connection, pause_s: float | None) -> None:
    config = confbus.connect(url, namespace=NAMESPACE)
    path = next(iter(config.snapshot)) + ".value"
    poll(lambda: int(config[path]), pipe, pause_s=pause_s)
