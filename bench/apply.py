"""What applying one changed section of a 1 MB document costs, beside decoding bytes; and the memory that it keeps."""

from __future__ import annotations

import gc
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import msgpack as _untyped  # pyright: ignore[reportMissingTypeStubs]  # ships no types

from bench.rounds import Row, interleave, rows
from bench.worlds import changed, document
from confbus.wire import codec
from confbus.wire.encoder import Encoder
from confbus.wire.sections import decode_section, join

if TYPE_CHECKING:
    from collections.abc import Callable

msgpack: Any = _untyped
_SIZE_BYTES = 1024 * 1024


def run() -> list[Row]:
    """Milliseconds for one section of 10 KB (100 sections), then megabytes for the whole document."""
    before = document(_SIZE_BYTES, sections=100)
    encoder = Encoder()
    encoded = encoder.encode(before)
    running = join(encoded.by_digest, encoded.manifest)
    name = list(encoded.blobs)[1]
    after = encoder.encode(changed(before, 1, section=1))
    section, whole = after.blobs[name], codec.encode(before)

    def apply() -> None:
        digest = codec.digest(section)
        manifest = running.manifest.changed({name: digest})
        running.changed(manifest, {name: decode_section(name, section, digest)})

    contestants = {
        "msgpack.unpackb of that section": _timer(lambda: msgpack.unpackb(section), 20),
        "confbus, one changed section: proved, decoded, put in": _timer(apply, 20),
        "msgpack.unpackb of the whole document": _timer(lambda: msgpack.unpackb(whole), 1),
        "confbus, the whole document: proved, decoded, joined": _timer(
            lambda: join(encoded.by_digest, encoded.manifest), 1
        ),
    }
    times = rows(interleave(contestants, 25), unit="ms", targets={})
    memory = {
        "memory: msgpack.unpackb of the whole document": lambda: _kept_mb(lambda: msgpack.unpackb(whole)),
        "memory: confbus, the whole document": lambda: _kept_mb(lambda: join(encoded.by_digest, encoded.manifest)),
    }
    kept = rows(interleave(memory, 3), unit="MB", targets={"memory: confbus, the whole document": "<= 1.3"})
    return [*times, *kept]


def _timer(work: Callable[[], object], turns: int) -> Callable[[], float]:
    def measure() -> float:
        started = time.perf_counter()
        for _ in range(turns):
            work()
        return (time.perf_counter() - started) / turns * 1000

    return measure


def _kept_mb(make: Callable[[], object]) -> float:
    gc.collect()
    tracemalloc.start()
    try:
        kept = make()
        size_bytes, _ = tracemalloc.get_traced_memory()
        del kept
    finally:
        tracemalloc.stop()
    return size_bytes / 1024 / 1024
