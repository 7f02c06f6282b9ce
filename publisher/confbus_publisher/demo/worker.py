"""One worker of the demo, called with URL NAMESPACE PATH …: what a process of yours would do, and nothing else.

It connects, reads and subscribes. What it sees goes to stdout as a line of JSON, with the time by the machine's one
monotonic clock; any line on stdin asks it to read the first path 100,000 times and to tell what it read.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import confbus

if TYPE_CHECKING:
    from confbus import Subscriber

READS = 100_000
_out = threading.Lock()  # callbacks run on another thread


def work() -> None:
    url, namespace, *paths = sys.argv[1:]
    config = confbus.connect(url, namespace=namespace)

    def tell(event: str, **facts: Any) -> None:
        values, at_s = {path: config.get(path) for path in paths}, time.monotonic()
        _write({"event": event, "version": config.snapshot.version, "values": values, "at_s": at_s, **facts})

    config.subscribe(lambda changes: tell("changed", paths=[change.path for change in changes]))
    tell("running")
    for _ in sys.stdin:
        tell("read", **_read_often(config, paths[0]))


def _read_often(config: Subscriber, path: str) -> dict[str, Any]:
    started = time.perf_counter()
    seen = {config[path] for _ in range(READS)}
    each_ns = (time.perf_counter() - started) * 1e9 / READS
    return {"reads": READS, "seen": list(seen), "each_ns": each_ns}


def _write(facts: dict[str, Any]) -> None:
    with _out:
        print(json.dumps(facts), flush=True)
