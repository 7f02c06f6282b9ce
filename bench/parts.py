"""Where the time from the ledger call to a readable value goes: the work of each station, without the ways between.

What is missing to the whole of `propagation` is waking up: the server, the thread that follows, the thread that reads.
Every round begins after a pause, as a real change does: the processor has forgotten all of it by then, and each part
takes three to six times what it takes in a loop.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from bench.rounds import Row, rows
from bench.worlds import NAMESPACE, WHY, changed, document
from confbus import candidate
from confbus.client import keys_of, make_client
from confbus.errors import Malformed
from confbus.events import Acked, Applied, Apply, HeadRead, Heard
from confbus.follower import Follower
from confbus.wire.encoder import Encoder
from confbus.wire.sections import join
from confbus_publisher import embedded
from confbus_publisher.ledger import Ledger
from confbus_publisher.ledger.redis import RedisStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus_publisher.ledger.store import Commit

_ROUNDS = 300
_PAUSE_S = 0.001

_ENCODE = "publisher: encode the section that changed"
_WORK_OUT = "publisher: work out the release and its notice"
_SCRIPT = "publisher and server: send the script, run it, answer"
_JUDGE = "worker: read the notice and judge it"
_SWAP = "worker: prove, decode, put in, make the snapshot"


class _Store(RedisStore):
    """A store that keeps its last commit, and when it got and finished it."""

    commit_at = (0.0, 0.0)
    last: Commit

    def commit(self, commit: Commit) -> str:
        started = time.perf_counter()
        why = super().commit(commit)
        self.last, self.commit_at = commit, (started, time.perf_counter())
        return why


def run() -> list[Row]:
    """Milliseconds for a section of 1 KB in a document of 100 KB, 100 sections."""
    with embedded.start(port=0) as server:
        client = make_client(server.url)
        store = _Store(client, keys_of(client, NAMESPACE), where=server.url)
        ledger, encoder = Ledger(store), Encoder()
        tree = document(100 * 1024, sections=100)
        first = encoder.encode(tree)
        ledger.publish(first, WHY)
        follower = Follower(rng=random.Random(1))
        follower.handle(Acked(), time.monotonic())
        follower.handle(HeadRead(store.last.head), time.monotonic())
        follower.handle(Applied(store.last.head, join(first.by_digest, first.manifest)), time.monotonic())
        figures: dict[str, list[float]] = {
            "a PING over redis-py": [],
            _ENCODE: [],
            _WORK_OUT: [],
            _SCRIPT: [],
            _JUDGE: [],
            _SWAP: [],
        }
        for value in range(1, _ROUNDS):
            figures["a PING over redis-py"].append(_timed_ms(lambda: client.ping()))  # noqa: PLW0108 — it is untyped
            tree = changed(tree, value)
            time.sleep(_PAUSE_S)
            started = time.perf_counter()
            encoded = encoder.encode(tree)
            planned = time.perf_counter()
            ledger.publish(encoded, WHY)
            figures[_ENCODE].append((planned - started) * 1000)
            figures[_WORK_OUT].append((store.commit_at[0] - planned) * 1000)
            figures[_SCRIPT].append((store.commit_at[1] - store.commit_at[0]) * 1000)
            _follow(follower, store.last, figures)
        store.close()
        return rows(figures, unit="ms", targets={})


def _follow(follower: Follower, commit: Commit, figures: dict[str, list[float]]) -> None:
    """What a worker does about a notice, in this process; the head counts as read a moment ago."""
    follower.handle(HeadRead(follower.seen), time.monotonic())
    time.sleep(_PAUSE_S)
    started = time.perf_counter()
    [apply] = follower.handle(Heard(commit.notice), time.monotonic())[:1]
    judged = time.perf_counter()
    if not isinstance(apply, Apply):
        raise Malformed("the notice", "it is not applied at once")
    assembly = candidate.assemble(apply)
    candidate.snapshot(apply, assembly)
    figures[_JUDGE].append((judged - started) * 1000)
    figures[_SWAP].append((time.perf_counter() - judged) * 1000)
    follower.handle(Applied(apply.head, assembly), time.monotonic())


def _timed_ms(work: Callable[[], object]) -> float:
    time.sleep(_PAUSE_S)
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
