"""What a worker keeps after a thousand versions of a document of 1 MB, against the hundredth of them."""

from __future__ import annotations

import functools
import gc
import sys
import time
from typing import TYPE_CHECKING

import confbus
from bench.rounds import Row
from bench.worlds import NAMESPACE, changed, document
from bench.writer import Writer
from confbus_publisher import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.wire.frozen import Frozen

_VERSIONS, _EVERY = 1000, 100
_SECTIONS = 100


def run() -> Iterator[Row]:
    """Thousands of objects that the collector knows, and of blocks that the interpreter has allocated."""
    with embedded.start(port=0) as server, Writer(server.url, tree) as writer:
        floor: tuple[float, float] | None = None
        with confbus.connect(server.url, namespace=NAMESPACE) as config:
            for number in range(2, _VERSIONS + 1):
                writer.change()
                config.wait_for(version=number)
                if number == _EVERY or not number % (_VERSIONS // 2):
                    now = _kept()
                    floor = floor or now
                    for kept, first, what in zip(now, floor, ("tracked objects", "allocated blocks"), strict=True):
                        yield Row(f"{what} at version {number}", kept, kept, kept / first, "k", "<= 1.005")


def tree(value: int) -> Frozen:
    """Two sections of 10 KB differ from one number to the next."""
    return changed(_first(), 1000 + value, section=value % _SECTIONS)


@functools.cache
def _first() -> Frozen:
    return document(1024 * 1024, sections=_SECTIONS)


def _kept() -> tuple[float, float]:
    time.sleep(0.1)  # for the thread that follows to end its turn
    gc.collect()
    return len(gc.get_objects()) / 1000, sys.getallocatedblocks() / 1000
