"""From the ledger call to a value readable in another process, beside a bare redis-py PUBLISH of the same bytes.

The call gets a merged document; it encodes what changed, works out the release, and runs the script. Each reader is a
process of its own: its main thread polls the value every 50 µs and notes when it sees the new one. The floor's
message is as long as a notice of ours, and its reader has a thread in `get_message` that keeps the last one. Beside
them stands what most write by hand: SET of the whole document, a PUBLISH, and a GET in that thread. `parts` says where
the time goes.
"""

from __future__ import annotations

import multiprocessing
import statistics
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import redis

import confbus
from bench.rounds import Row, interleave, rows
from bench.worlds import NAMESPACE, WHY, changed, document, ledger_at
from confbus.client import make_client
from confbus.wire import codec
from confbus.wire.encoder import Encoder
from confbus.wire.frozen import thaw
from confbus_publisher import embedded

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from confbus.wire.frozen import Frozen

ROUNDS = 40
NOTICE_BYTES = 1700
"""A notice of ours with a section of 1 KB inside."""
_TURN = 20
POLL_S = 0.00005
_CHANNEL = "bare"


def run() -> list[Row]:
    """Milliseconds for one changed 1 KB section, in documents of 100 KB and 1 MB."""
    context = multiprocessing.get_context("spawn")
    floor = "redis-py PUBLISH of as many bytes to a thread in get_message"
    documents = {
        "confbus, 1 KB of 100 KB (100 sections)": (100 * 1024, 100),
        "confbus, 1 KB of 1 MB (100 sections)": (1024 * 1024, 100),
        "confbus, 1 KB of 1 MB (950 sections)": (1024 * 1024, 950),
    }
    with ExitStack() as stack:
        url = stack.enter_context(embedded.start(port=0)).url
        peers = {floor: Peer(context, _bare_reader, url, _bare_writer(url))}
        for name, size_bytes in {
            "SET, PUBLISH, GET of 100 KB": 100 * 1024,
            "SET, PUBLISH, GET of 1 MB": 1024 * 1024,
        }.items():
            url = stack.enter_context(embedded.start(port=0)).url
            whole = thaw(document(size_bytes, sections=100))
            peers[name] = Peer(context, _whole_reader, url, _whole_writer(url, whole))
        for name, (size_bytes, sections) in documents.items():
            url = stack.enter_context(embedded.start(port=0)).url
            peers[name] = Peer(context, bus_reader, url, bus_writer(url, document(size_bytes, sections=sections)))
        for peer in peers.values():
            stack.callback(peer.end)
            peer.warm_up()
        figures = interleave({name: peer.measure for name, peer in peers.items()}, ROUNDS)
    return rows(figures, unit="ms", targets=dict.fromkeys(documents, "aim: 2.0"))


class Peer:
    """One writer here and one reader in a process of its own."""

    def __init__(self, context: Any, reader: Any, url: str, write: Callable[[int], float]) -> None:
        self._write = write
        self._value = 0
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=reader, args=(url, theirs), daemon=True)
        self._process.start()
        self._ours.recv()

    def measure(self) -> float:
        """The median milliseconds, of twenty in a row, from the call to the reader's seeing the value."""
        return statistics.median(self._once() for _ in range(_TURN))

    def _once(self) -> float:
        time.sleep(0.001)
        self._value += 1
        started = self._write(self._value)
        return (float(self._ours.recv()) - started) * 1000

    def warm_up(self) -> None:
        self.measure()

    def end(self) -> None:
        self._process.terminate()
        self._process.join()


def bus_writer(url: str, before: Frozen) -> Callable[[int], float]:
    ledger, encoder = ledger_at(url), Encoder()
    tree = [before]
    ledger.publish(encoder.encode(tree[0]), WHY)

    def write(value: int) -> float:
        tree[0] = changed(tree[0], value)
        started = time.monotonic()
        ledger.publish(encoder.encode(tree[0]), WHY)
        return started

    return write


def bus_reader(url: str, pipe: Connection) -> None:
    """A process that sends the time whenever it sees another value in the first section; one message when ready."""
    config = confbus.connect(url, namespace=NAMESPACE)
    path = next(iter(config.snapshot)) + ".value"
    poll(lambda: config[path], pipe)


def _bare_writer(url: str) -> Callable[[int], float]:
    client: Any = make_client(url)
    payload = b"x" * (NOTICE_BYTES - 10)

    def write(value: int) -> float:
        started = time.monotonic()
        client.publish(_CHANNEL, b"%010d" % value + payload)
        return started

    return write


def _bare_reader(url: str, pipe: Connection) -> None:
    client: Any = redis.Redis.from_url(url, protocol=2)
    pubsub = client.pubsub()
    pubsub.subscribe(_CHANNEL)
    last = [0]

    def listen() -> None:
        while True:
            message = pubsub.get_message(timeout=1.0)
            if message and message["type"] == "message":
                last[0] = int(message["data"][:10])

    threading.Thread(target=listen, daemon=True).start()
    time.sleep(0.2)
    poll(lambda: last[0], pipe)


def _whole_writer(url: str, whole: dict[str, Any]) -> Callable[[int], float]:
    client: Any = make_client(url)
    first = next(iter(whole))

    def write(value: int) -> float:
        whole[first]["value"] = value
        started = time.monotonic()
        client.set(_CHANNEL, codec.msgpack.packb(whole))
        client.publish(_CHANNEL, b"new")
        return started

    whole[first]["value"] = 0
    client.set(_CHANNEL, codec.msgpack.packb(whole))
    return write


def _whole_reader(url: str, pipe: Connection) -> None:
    client: Any = redis.Redis.from_url(url, protocol=2)
    pubsub = client.pubsub()
    pubsub.subscribe(_CHANNEL)
    last: list[dict[str, Any]] = [codec.msgpack.unpackb(client.get(_CHANNEL))]

    def listen() -> None:
        while True:
            message = pubsub.get_message(timeout=1.0)
            if message and message["type"] == "message":
                last[0] = codec.msgpack.unpackb(client.get(_CHANNEL))

    first = next(iter(last[0]))
    threading.Thread(target=listen, daemon=True).start()
    time.sleep(0.2)
    poll(lambda: int(last[0][first]["value"]), pipe)


def poll(read: Callable[[], int], pipe: Connection, *, pause_s: float | None = POLL_S) -> None:
    """Sends the time of each other value that is seen; without a pause it does nothing but look."""
    seen = read()
    pipe.send(0.0)
    while True:
        value = read()
        if value != seen:
            pipe.send(time.monotonic())
            seen = value
        if pause_s is not None:
            time.sleep(pause_s)
