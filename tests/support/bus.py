"""One namespace on a real server with real publishers and workers, and a memory of what was chosen and what was seen.

A test does something bad to them and ends with `agree`: everybody stands at the head, and until then no worker saw
anything but what was chosen, in the order in which it was chosen, each time whole.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

import confbus
from confbus.client import keys_of, make_client
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.pace import Pace
from confbus_publisher.publisher import Publisher
from confbus_publisher.sources import DictSource
from confbus_publisher.standing import Standing
from support.eventually import eventually
from support.places import encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from confbus import Snapshot, Subscriber, Timing
    from confbus.wire.release import Release
    from confbus_publisher.guard.guarding import Policy
    from confbus_publisher.layer import Layer

T = TypeVar("T")
TIMING = confbus.Timing(poll_s=0.3, report_s=1.0, ping_s=0.3, silence_s=1.0, announce_s=0.2, max_backoff_s=0.5)
PACE = Pace(poll_s=0.2, report_s=0.5, lease_s=1.0, return_s=0.0)
OPERATOR = Why("operator")


def document(number: int, *, padding: int = 0) -> dict[str, Any]:
    """A document of three sections and a scalar that all tell one number. With `padding`, in bytes, of more than
    8 KB no notice can carry a change of it."""
    web = {"number": number, "padding": "x" * padding}
    return {"number": number, "web": web, "db": {"host": f"db-{number}", "number": number}, "fixed": {"port": 5432}}


def number_of(snapshot: Snapshot) -> int:
    """The number that all parts of a document tell; fails for one that was never published."""
    number: int = snapshot["number"]
    assert snapshot == document(number, padding=len(snapshot["web.padding"]))
    assert encoded(snapshot).manifest.digest == snapshot.digest
    return number


def digest_of(number: int) -> str:
    return encoded(document(number)).manifest.digest


class Edits:
    """A source whose content is what was written last."""

    name = "edits"
    priority = 0
    watched: tuple[Path, ...] = ()

    def __init__(self, tree: dict[str, Any]) -> None:
        self.write(tree)

    def write(self, tree: dict[str, Any]) -> None:
        self._layer = DictSource(tree, name=self.name).load()

    def load(self) -> Layer:
        return self._layer


class Killed(BaseException):
    """Ends a publisher where it stands, as SIGKILL does: nothing of it runs any more."""


class MortalStore(RedisStore):
    """The store of a publisher that dies at its call number `dies_at`, the first being 0: before it is sent, or, with
    `has_sent`, when the server has carried it out."""

    dies_at: float = float("inf")
    has_sent = False
    calls = 0
    _stop: tuple[int, Callable[[], object]] = (-1, lambda: None)

    def stop_before(self, step: int, meanwhile: Callable[[], object]) -> None:
        """Let its owner stop before its call number `step` from now on, for as long as `meanwhile` takes."""
        self._stop = (self.calls + step, meanwhile)

    def _persist(self, call: Callable[[], T]) -> T:
        at, self.calls = self.calls, self.calls + 1
        if at == self._stop[0]:
            self._stop[1]()
        if at > self.dies_at or (at == self.dies_at and not self.has_sent):
            raise Killed
        result = super()._persist(call)
        if at >= self.dies_at:
            raise Killed
        return result


def dies(publisher: Publisher, *, at: int, has_sent: bool) -> bool:
    """Let `publisher`, who has a mortal store, take one turn and die at its call `at`. False when there is none."""
    store = publisher.ledger.store
    assert isinstance(store, MortalStore)
    store.dies_at, store.has_sent = at, has_sent
    try:
        publisher.turn()
    except Killed:
        return True
    finally:
        store.close()
    return False


class RunningPublisher:
    """A publisher in a thread of its own. `failure` is what ended it, but for `kill` and `stop`."""

    def __init__(self, publisher: Publisher, edits: Edits, memory_file: MemoryFile) -> None:
        self.publisher = publisher
        self._memory_file = memory_file
        self.failure: BaseException | None = None
        self._edits = edits
        self._thread = threading.Thread(target=self._run, name=f"publisher {publisher.identity}")
        self._thread.start()

    @property
    def state(self) -> str:
        return self.publisher.standing.state

    @property
    def why(self) -> str:
        return self.publisher.standing.why

    @property
    def is_active(self) -> bool:
        return self.publisher.standing.is_active

    def has_published(self, number: int) -> bool:
        """Whether it knows a head with document `number`."""
        state = self.publisher.ledger.state
        return state is not None and state.release.digest == digest_of(number)

    def remembers(self, number: int) -> bool:
        """Whether its memory file has document `number`: a turn is over then that began with it, and no loss undoes
        that."""
        state, _ = self._memory_file.recall()
        return state is not None and state.release.digest == digest_of(number)

    def write(self, tree: dict[str, Any]) -> None:
        """Let its source say `tree`."""
        self._edits.write(tree)
        self.publisher.look()

    def stop(self) -> None:
        """End it as SIGTERM does; then it is gone."""
        self.publisher.stop()
        self._thread.join()
        self.publisher.ledger.store.close()
        assert self.failure is None, self.failure

    def kill(self) -> None:
        """End it as SIGKILL does; then it is gone, its lease and its report are not."""
        store = self.publisher.ledger.store
        assert isinstance(store, MortalStore)
        store.dies_at = -1
        self.stop()

    def _run(self) -> None:
        try:
            self.publisher.run()
        except Killed:
            return
        except BaseException as failure:  # noqa: BLE001 — told in the test's own thread
            self.failure = failure


class Worker:
    """A subscriber, and every snapshot that it came to read, in order."""

    def __init__(
        self,
        url: str,
        namespace: str,
        *,
        validators: Sequence[Callable[[Snapshot], object]] = (),
        timing: Timing = TIMING,
    ) -> None:
        self.saw: list[Snapshot] = []
        checks = (*validators, self.saw.append)  # the last validator is asked about nothing but what will be read
        self.config: Subscriber = confbus.connect(
            url, namespace=namespace, timeout_s=30, timing=timing, validators=checks
        )

    @property
    def number(self) -> int:
        return number_of(self.config.snapshot)

    @property
    def state(self) -> str:
        return self.config.status().state

    def stands_at(self, version: int, number: int) -> bool:
        return (self.state, self.config.snapshot.version, self.number) == ("live", version, number)

    def assert_saw_only(self, story: Sequence[int]) -> None:
        """Whole documents, in the order of `story`, with versions and revisions that never went back."""
        numbers = [number_of(snapshot) for snapshot in self.saw]
        told = iter(story)
        distinct = [number for at, number in enumerate(numbers) if at == 0 or number != numbers[at - 1]]
        assert all(number in told for number in distinct), f"saw {distinct}, which is not in the order of {story}"
        marks = [(snapshot.revision, snapshot.version) for snapshot in self.saw]
        assert marks == sorted(marks)


class Bus:
    """One namespace at `url`; a context manager that ends everybody. `story` has the number of every document that
    was chosen: edited into a source, or rolled back to. `client` works behind everybody's back."""

    def __init__(self, url: str, namespace: str, directory: Path) -> None:
        self.url = url
        self.namespace = namespace
        self.story: list[int] = []
        self.workers: list[Worker] = []
        self._directory = directory
        self._publishers: list[RunningPublisher] = []
        self._count = 0
        self.client: Any = make_client(url, namespace=namespace)
        self.keys = keys_of(self.client, namespace)
        self.ledger = Ledger(RedisStore(self.client, self.keys, where=url))

    def publisher(
        self,
        number: int = 1,
        *,
        name: str = "ann",
        url: str = "",
        padding: int = 0,
        patience_s: float = 0.5,
        pace: Pace = PACE,
        guard: Policy | None = None,
    ) -> RunningPublisher:
        """A new publisher whose source says document `number`, after its first turn. All of one `name` share a memory
        file."""
        publisher, edits = self.resting_publisher(
            number, name=name, url=url, padding=padding, patience_s=patience_s, pace=pace, guard=guard
        )
        running = RunningPublisher(publisher, edits, self.memory_file(name))
        self._publishers.append(running)
        eventually(lambda: running.publisher.standing != Standing() or running.failure)
        return running

    def resting_publisher(
        self,
        number: int,
        *,
        name: str = "ann",
        url: str = "",
        padding: int = 0,
        patience_s: float = 0.5,
        pace: Pace = PACE,
        guard: Policy | None = None,
    ) -> tuple[Publisher, Edits]:
        """As `publisher`, but every turn that it takes is the test's."""
        client = make_client(url or self.url, name=name, timeout_s=1.0, namespace=self.namespace)
        edits = Edits(document(number, padding=padding))
        if number not in self.story:
            self.story.append(number)
        self._count += 1
        publisher = Publisher(
            Inputs([edits], limit_bytes=10_000_000),
            Ledger(MortalStore(client, self.keys, where=url or self.url, patience_s=patience_s)),
            self.memory_file(name),
            identity=f"{name}:{self._count}",
            author=name,
            pace=pace,
            guard=guard,
        )
        return publisher, edits

    def memory_file(self, name: str = "ann") -> MemoryFile:
        return MemoryFile(self._directory / name / "state", self.namespace)

    def worker(
        self,
        *,
        url: str = "",
        validators: Sequence[Callable[[Snapshot], object]] = (),
        timing: Timing = TIMING,
    ) -> Worker:
        """A new worker, which runs what the head names."""
        worker = Worker(url or self.url, self.namespace, validators=validators, timing=timing)
        self.workers.append(worker)
        return worker

    def publish(self, number: int, *, padding: int = 0) -> None:
        """A person publishes document `number`."""
        self.story.append(number)
        self.ledger.refresh()
        self.ledger.publish(encoded(document(number, padding=padding)), OPERATOR)

    def edit(self, publisher: RunningPublisher, number: int, *, padding: int = 0) -> None:
        """Let the publisher's source say document `number`."""
        self.story.append(number)
        publisher.write(document(number, padding=padding))

    def rollback(self, *, to: int) -> Release:
        """What an operator does: back to version `to`."""
        self.ledger.refresh()
        target = self.ledger.release(to)
        number = next(number for number in self.story if digest_of(number) == target.digest)
        self.story.append(number)
        return self.ledger.rollback(target, Why("operator", "it was bad", "rollback"))

    def agree(self, number: int, *, within_s: float = 20.0) -> None:
        """Everybody comes to document `number`, which is the head's, and saw nothing wrong on the way."""

        def agreed() -> bool:
            for publisher in self._publishers:
                publisher.publisher.look()  # which it does anyway, but not so often
            state = self.ledger.refresh()
            if state is None or not all(worker.stands_at(state.head.version, number) for worker in self.workers):
                return False
            return state.release.digest in {worker.config.snapshot.digest for worker in self.workers}

        eventually(agreed, within_s=within_s, describe=self._describe)
        self.assert_sane()

    def assert_sane(self) -> None:
        """No worker saw anything but what was chosen, and no two saw different contents of one version."""
        contents: dict[tuple[str, int], str] = {}
        for worker in self.workers:
            worker.assert_saw_only(self.story)
            for seen in worker.saw:
                assert contents.setdefault((seen.epoch, seen.version), seen.digest) == seen.digest

    def actions(self) -> list[tuple[str, int]]:
        """The audit trail: what was done, and the version after it, oldest first."""
        entries = [entry.fields for entry in reversed(self.ledger.store.log(10_000))]
        return [(entry["action"], int(entry.get("version", 0))) for entry in entries]

    def _describe(self) -> str:
        lines = [f"the head is {self.ledger.head}", f"the log is {self.actions()[-10:]}"]
        lines += [f"{each.publisher.identity}: {each.publisher.standing}" for each in self._publishers]
        lines += [f"a worker at {worker.number}: {worker.config.status()}" for worker in self.workers]
        return "\n".join(lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.config.close()
        for publisher in self._publishers:
            publisher.stop()
        self.client.close()
