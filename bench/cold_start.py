"""From a fresh interpreter to the first value of a document of 100 KB, beside a redis-py GET of the same bytes."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from bench.rounds import Row, interleave, rows
from bench.worlds import NAMESPACE, WHY, document, ledger_at
from confbus.client import make_client
from confbus.wire import codec
from confbus.wire.sections import Encoder
from confbus_publisher import embedded

if TYPE_CHECKING:
    from collections.abc import Callable

_KEY = "bare"
_BARE = f"""
import sys, msgpack, redis
tree = msgpack.unpackb(redis.Redis.from_url(sys.argv[1], protocol=2).get({_KEY!r}))
assert tree["service0000"]["value"] == 0
"""
_BUS = f"""
import sys, confbus
config = confbus.connect(sys.argv[1], namespace={NAMESPACE!r})
assert config["service0000.value"] == 0
"""


def run() -> list[Row]:
    """Milliseconds of the process's whole life; the server and the files are warm."""
    tree = document(100 * 1024, sections=100)
    with embedded.start(port=0) as server:
        ledger_at(server.url).publish(Encoder().encode(tree), WHY)
        make_client(server.url).set(_KEY, codec.encode(tree))
        bus = "import confbus + connect + first read"
        contestants = {
            "import redis + GET + unpackb": _runner(_BARE, server.url),
            bus: _runner(_BUS, server.url),
            "an interpreter that does nothing": _runner("", server.url),
        }
        return rows(interleave(contestants, 15), unit="ms", targets={bus: "<= 1.15"})


def _runner(program: str, url: str) -> Callable[[], float]:
    def measure() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", program, url], check=True)
        return (time.perf_counter() - started) * 1000

    return measure
