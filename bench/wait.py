"""From a rollback to the last report of fifty processes, beside fifty bare redis-py subscribers that answer with HSET.

The fleets are processes of their own, forked from one each; all rounds of all fleets are interleaved, and rest before
each, because a worker reports at most five times a second. The floor publishes as many bytes as a notice of ours has;
its processes unpack nothing and prove nothing. The last rows are what a look at the reports of 1,000 instances takes,
beside the bare HGETALL of them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import redis

import confbus
from bench.propagation import NOTICE_BYTES
from bench.rounds import Row, interleave, rows
from bench.worlds import NAMESPACE, WHY, changed, document, ledger_at
from confbus.client import keys_of, make_client
from confbus.wire.encoder import Encoder
from confbus_publisher import embedded, fleet
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.survey import survey
from confbus_publisher.waiting import wait_for_fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from confbus_publisher.ledger import State

COUNT, MANY = 50, 1000
_ROUNDS = 20
_REST_S, _POLL_S = 0.4, 0.001
_CHANNEL, _ANSWERS = "fanout", "answers"


def run() -> Iterator[Row]:
    """Milliseconds; the first row of each table is the floor of the others."""
    with ExitStack() as stack:
        urls = [stack.enter_context(embedded.start(port=0)).url for _ in range(2)]
        rolling = Rolling(urls[1])
        stack.enter_context(processes("bare", urls[0]))
        stack.enter_context(processes("bus", urls[1]))
        bare = Bare(urls[0])
        rolling.gather()
        until_all = f"confbus, rollback until all {COUNT} report it"
        contestants = {
            f"redis-py, PUBLISH until all {COUNT} have answered by HSET": bare.measure,
            until_all: rolling.until_all_report,
            "the same, as --wait sees it": rolling.until_wait_ends,
        }
        yield from rows(interleave(contestants, _ROUNDS), unit="ms", targets={})
        yield from rows(interleave(looks(urls[0]), _ROUNDS), unit="ms", targets={})


class Bare:
    """Publishes a number, and looks until everybody has written it down."""

    def __init__(self, url: str) -> None:
        self._client: Any = make_client(url)
        self._value = 0
        while self._client.pubsub_numsub(_CHANNEL)[0][1] < COUNT:
            time.sleep(_POLL_S)

    def measure(self) -> float:
        time.sleep(_REST_S)
        self._value += 1
        value, started = b"%010d" % self._value, time.monotonic()
        self._client.publish(_CHANNEL, value + b"x" * (NOTICE_BYTES - len(value)))
        while self._client.hvals(_ANSWERS).count(value) < COUNT:
            time.sleep(_POLL_S)
        return (time.monotonic() - started) * 1000


class Rolling:
    """Publishes a change, and when all have it, rolls it back."""

    def __init__(self, url: str) -> None:
        self._ledger, self._encoder = ledger_at(url), Encoder()
        self._tree, self._value = document(100 * 1024, sections=100), 0
        self._ledger.publish(self._encoder.encode(self._tree), WHY)

    def gather(self) -> None:
        """Wait until the whole fleet is there."""
        self._until_all_at(self._state)

    def until_all_report(self) -> float:
        started = self._roll_back()
        self._until_all_at(self._state)
        return (time.monotonic() - started) * 1000

    def until_wait_ends(self) -> float:
        before = survey(self._ledger.store)
        started = self._roll_back()
        uptake = wait_for_fleet(self._ledger, before, self._state, timeout_s=30)
        took_ms = (time.monotonic() - started) * 1000
        assert len(uptake.applied) == COUNT, uptake
        return took_ms

    @property
    def _state(self) -> State:
        assert self._ledger.state
        return self._ledger.state

    def _roll_back(self) -> float:
        """When the rollback began of a change that everybody had."""
        self._value += 1
        good = self._state.release
        self._ledger.publish(self._encoder.encode(changed(self._tree, self._value)), WHY)
        self._until_all_at(self._state)
        time.sleep(_REST_S)
        started = time.monotonic()
        self._ledger.rollback(good, WHY)
        return started

    def _until_all_at(self, state: State) -> None:
        change = state.head.change.encode()
        while sum(report.count(change) > 1 for report in self._ledger.store.fleet().values()) < COUNT:
            time.sleep(_POLL_S)


@contextmanager
def processes(kind: str, url: str) -> Generator[None]:
    """`COUNT` processes that follow what is at `url`."""
    words = [sys.executable, "-m", "bench.wait", kind, url]
    parent = subprocess.Popen(words, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()


def looks(url: str) -> dict[str, Callable[[], float]]:
    """Reading the reports of a large fleet: bare, for the first time, and when nothing is new."""
    client: Any = make_client(url)
    keys = keys_of(client, NAMESPACE)
    store = RedisStore(client, keys, where=url)
    stand = {"version": 12, "revision": 14, "epoch": "a" * 16, "change": "b" * 16, "digest": "c" * 64}
    facts = {"state": "live", "seen": stand, "running": stand, "error": "", "interval_s": 30, "validators": 2}
    for number in range(MANY):
        report = json.dumps({**facts, "at": store.time_ms(), "instance": f"web-{number}.internal:1:5d1c"})
        store.report(f"web-{number}.internal:1:5d1c", report.encode())
    known = fleet.Reports()
    known.read(store.fleet())

    def timed(act: Callable[[], object]) -> Callable[[], float]:
        def measure() -> float:
            started = time.perf_counter()
            act()
            return (time.perf_counter() - started) * 1000

        return measure

    return {
        f"redis-py, HGETALL of {MANY:,} reports": timed(lambda: client.hgetall(keys.fleet)),
        "a first look at them": timed(lambda: fleet.Reports().read(store.fleet())),
        "a look when none is new": timed(lambda: known.read(store.fleet())),
    }


def follow(kind: str, url: str) -> None:
    """The processes: this one and its children."""
    for _ in range(COUNT - 1):
        if os.fork() == 0:
            break
    if kind == "bus":
        config = confbus.connect(url, namespace=NAMESPACE)
        while config:
            signal.pause()
    client: Any = redis.Redis.from_url(url, protocol=2)
    pubsub = client.pubsub()
    pubsub.subscribe(_CHANNEL)
    for message in pubsub.listen():
        if message["type"] == "message":
            client.hset(_ANSWERS, str(os.getpid()), message["data"][:10])


if __name__ == "__main__":
    follow(*sys.argv[1:])
