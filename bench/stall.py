"""The longest a tight reading loop waits while a change arrives, beside `unpackb` of the same bytes in another thread.

One thread at a time runs Python: who decodes keeps readers waiting for at least the interpreter's switch interval, and
for as long as one call into C lasts. The floor is a thread that decodes what changed, once, and drops it. The
change itself is made in another process.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import confbus
from bench.rounds import Row, interleave, rows
from bench.worlds import NAMESPACE
from bench.writer import Writer
from confbus.wire import codec
from confbus.wire.encoder import Encoder
from confbus_publisher import embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confbus.subscriber import Subscriber

_ROUNDS = 15
_AFTER_S = 0.05
_SHAPES = {
    "1 KB in one section": (1, 1024),
    "1 MB in 100 sections": (100, 10 * 1024),
    "5 MB in 500 sections": (500, 10 * 1024),
    "5 MB in one flat section": (1, 5 * 1024 * 1024),
}


def run() -> Iterator[Row | str]:
    """Milliseconds, for changes of several sizes; each against the floor above it."""
    yield f"the switch interval of this interpreter is {sys.getswitchinterval() * 1000:g} ms"
    for name, (sections, each_bytes) in _SHAPES.items():
        tree = partial(tree_of, sections=sections, each_bytes=each_bytes)
        with ExitStack() as stack:
            url = stack.enter_context(embedded.start(port=0)).url
            writer = stack.enter_context(Writer(url, tree))
            config = stack.enter_context(confbus.connect(url, namespace=NAMESPACE))
            blobs = list(Encoder().encode(tree(0)).blobs.values())
            ours = f"confbus, a change of {name}"
            contestants = {
                f"unpackb in another thread, {name}": partial(_beside_unpackb, blobs),
                ours: partial(_beside_change, config, writer),
            }
            yield from rows(interleave(contestants, _ROUNDS), unit="ms", targets={ours: "<= 2"})


def tree_of(value: int, *, sections: int, each_bytes: int) -> dict[str, Any]:
    """Every section differs from one value to the next."""
    return {
        f"s{number:03}": {
            "value": value,
            **{f"key{index}": f"{value}-{index:029}" for index in range(each_bytes // 42)},
        }
        for number in range(sections)
    }


def _beside_unpackb(blobs: list[bytes]) -> float:
    """The thread is there before, and waits for a word from outside as one that follows does."""
    reader, writer = os.pipe()
    done = [0]

    def decode() -> None:
        os.read(reader, 1)
        kept = [codec.msgpack.unpackb(blob) for blob in blobs]
        done[0] = len(kept)

    thread = threading.Thread(target=decode)
    thread.start()
    try:
        return _longest_stall(lambda: done[0], lambda: os.write(writer, b"x"))
    finally:
        thread.join()
        os.close(reader)
        os.close(writer)


def _beside_change(config: Subscriber, writer: Writer) -> float:
    return _longest_stall(lambda: config["s000.value"], writer.change)


def _longest_stall(read: Callable[[], int], begin: Callable[[], object]) -> float:
    """The longest milliseconds from one read to the next, from `begin` until a little after another value is there."""
    before, until, longest = read(), float("inf"), 0.0
    last = time.perf_counter()
    begin()
    while last < until:
        value = read()
        now = time.perf_counter()
        longest = max(longest, now - last)
        last = now
        if until == float("inf") and value != before:
            until = now + _AFTER_S
    return longest * 1000
