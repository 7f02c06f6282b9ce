"""From a fresh interpreter to the first value of a document of 100 KB, beside redis-py and a file of the same bytes.

Compiled modules are there, as wherever a service has started before. They are kept in a folder of the bench alone, as
some environments forbid to write them, and a compiler would be measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import confbus
from bench.rounds import Row, interleave, rows
from bench.worlds import NAMESPACE, WHY, document, ledger_at
from confbus.client import make_client
from confbus.wire import codec
from confbus.wire.encoder import Encoder
from confbus_publisher import embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
_BARE_FILE = """
import sys, msgpack
with open(sys.argv[1], "rb") as file:
    tree = msgpack.unpackb(file.read())
assert tree["service0000"]["value"] == 0
"""
_BUS_FILE = f"""
import sys, confbus
config = confbus.connect(sys.argv[2], namespace={NAMESPACE!r}, fallback=sys.argv[1], start="cached")
assert config["service0000.value"] == 0
"""


def run() -> Iterator[Row]:
    """Milliseconds of the process's whole life; the server and the files are warm. The first row of each table is the
    floor of those below it."""
    tree = document(100 * 1024, sections=100)
    with embedded.start(port=0) as server, tempfile.TemporaryDirectory() as folder:
        ledger_at(server.url).publish(Encoder().encode(tree), WHY)
        make_client(server.url).set(_KEY, codec.encode(tree))
        start = partial(starter, compiled=folder)
        bus = "import confbus + connect + first read"
        contestants = {
            "import redis + GET + unpackb": start(_BARE, server.url),
            bus: start(_BUS, server.url),
            "an interpreter that does nothing": start("", server.url),
        }
        yield from rows(interleave(contestants, 15), unit="ms", targets={bus: "aim: 0.3"})

        file, kept = Path(folder, "bare.msgpack"), Path(folder, "kept")
        file.write_bytes(codec.encode(tree))
        with confbus.connect(server.url, namespace=NAMESPACE, fallback=str(kept)):
            pass
        bus = "import confbus + connect from the file on disk + first read"
        contestants = {
            "import msgpack + read + unpackb": start(_BARE_FILE, str(file)),
            bus: start(_BUS_FILE, str(kept), server.url),
        }
        yield from rows(interleave(contestants, 15), unit="ms", targets={bus: "aim: 1.5"})


def starter(program: str, *arguments: str, compiled: str) -> Callable[[], float]:
    """What runs `program`; once without being measured, which leaves its modules compiled in the folder."""
    without = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**without, "PYTHONPYCACHEPREFIX": compiled}
    command = [sys.executable, "-c", program, *arguments]

    def measure() -> float:
        started = time.perf_counter()
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        return (time.perf_counter() - started) * 1000

    measure()
    return measure
