"""The real publisher in a simulated world: its sources, its memory and its crashes are ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from confbus.wire.frozen import Frozen
from confbus.wire.manifest import EMPTY
from confbus_publisher.formats.tree import paths
from confbus_publisher.inputs import Inputs, Merge
from confbus_publisher.layer import Layer
from confbus_publisher.ledger import Ledger
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.origin import Origin
from confbus_publisher.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from confbus.wire.encoder import Encoded
    from confbus.wire.release import Release
    from confbus_publisher.guard.guard import Terms
    from confbus_publisher.ledger import State, Why
    from support.agenda import Agenda
    from support.simulated_redis import SimulatedRedis
    from support.witness import Witness

_PAD = "x" * 9000
"""More than a notice may carry: a change of a section with it has to be fetched."""


class SimulatedSource:
    """Three sections of one number each; every change is a number that was never there, or one from before."""

    name = "simulated"
    priority = 0
    watched: tuple[Path, ...] = ()

    def __init__(self, rng: Random, *, is_large: bool) -> None:
        self.changes = 0
        self._rng = rng
        self._numbers = dict.fromkeys(("db", "web", "ops"), 0)
        self._extra = {"pad": _PAD} if is_large else {}
        self._layer = self._now()

    def change(self) -> None:
        self.changes += 1
        section = self._rng.choice(tuple(self._numbers))
        is_new = self._rng.random() < 0.75
        self._numbers[section] = self.changes if is_new else self._rng.randrange(self.changes)
        self._layer = self._now()

    def load(self) -> Layer:
        return self._layer

    def _now(self) -> Layer:
        tree = Frozen({name: Frozen({"n": number} | self._extra) for name, number in self._numbers.items()})
        return Layer(self.name, 0, tree, dict.fromkeys(paths(tree), Origin(source=self.name)))


class _Reading:
    """A source as one process reads it: `changes` is how often it had changed by then, `published` by the process' last
    publish, or by its start unless it starts with news."""

    name, priority, watched = SimulatedSource.name, SimulatedSource.priority, SimulatedSource.watched

    def __init__(self, source: SimulatedSource, *, is_news: bool = False) -> None:
        self.changes = source.changes
        self.published = None if is_news else source.changes
        self._source = source

    def load(self) -> Layer:
        self.changes = self._source.changes
        return self._source.load()


class SimulatedMemory(MemoryFile):
    """A memory file that keeps every state it ever had, so that a crash may bring any of them back, or none."""

    def __init__(self, witness: Witness) -> None:
        super().__init__(Path("nowhere"), "simulated")
        self._witness = witness
        self._saved: list[tuple[State, str]] = []
        self._known: list[State] = []

    @property
    def held(self) -> set[str]:
        """What its owner must know to be rolled back."""
        return set[str]().union(*map(self._witness.held, self._known))

    def load(self) -> tuple[State | None, str]:
        self._known = [state for state, _ in self._saved[-1:]]
        return self._saved[-1] if self._saved else (None, "")

    def save(self, state: State, accounted: str) -> None:
        self._saved.append((state, accounted))
        self._known.append(state)

    def age(self, rng: Random) -> None:
        """Come back as it was some time ago."""
        luck = rng.random()
        if luck < 0.15:
            self._saved.clear()
        elif luck < 0.4:
            del self._saved[rng.randrange(len(self._saved) + 1) :]


class SimulatedPublisher:
    """One publisher process after the other, on one machine with one memory file."""

    def __init__(
        self, name: str, source: SimulatedSource, redis: SimulatedRedis, *, rng: Random, has_memory: bool
    ) -> None:
        self.name = name
        self.publisher: Publisher | None = None
        self._source = source
        self._redis = redis
        self._agenda: Agenda = redis.agenda
        self._witness = redis.witness
        self._rng = rng
        self._memory = SimulatedMemory(redis.witness)
        self._has_memory = has_memory
        self._is_turning = False
        self._life = 0
        self._merge: tuple[Layer, Merge] | None = None

    def start(self) -> None:
        """A new process, unless there is one."""
        if self.publisher is not None:
            return
        if not self._has_memory:
            self._memory = SimulatedMemory(self._witness)
        known, accounted = self._memory.load()
        is_news = bool(accounted) and accounted != self.merge().manifest.digest
        self._life += 1
        reading = _Reading(self._source, is_news=is_news)
        self.publisher = Publisher(
            Inputs([reading], limit_bytes=1_000_000),
            _WatchedLedger(self, self._redis, reading),
            self._memory,
            identity=f"{self.name}:{self._life}",
            author=self.name,
            clock=self._agenda,
        )
        self._witness.tell(self.name, "starts", known.head if known else "without memory")
        self._turn(self._life)

    def crash(self) -> None:
        self.publisher = None
        self._life += 1
        self._memory.age(self._rng)
        self._witness.tell(self.name, "crashes")

    def change_source(self) -> None:
        self._source.change()
        life = self._life
        self._agenda.after(self._rng.uniform(0, 0.3), lambda: self._turn(life, is_extra=True))

    def merge(self) -> Merge:
        """What its sources say now."""
        layer = self._source.load()
        if self._merge is None or self._merge[0] is not layer:
            self._merge = layer, Inputs([self._source], limit_bytes=1_000_000).load()
            self._witness.merged(self._merge[1].manifest.digest, self._source.load().tree)
        return self._merge[1]

    def publishing(self, encoded: Encoded, over: State | None, reading: _Reading) -> None:
        """A process of it, be it one that just crashed, is about to publish by itself. A head without the last merge
        asks for the next, whatever it is."""
        is_asked_for = over is None or not over.head.merged
        self._witness.publishes(
            self.name,
            encoded.manifest,
            over=over.release.manifest if over else EMPTY,
            held=self._memory.held | self._redis.quarantine().keys(),
            is_news=is_asked_for or reading.changes != reading.published,
        )

    def _turn(self, life: int, *, is_extra: bool = False) -> None:
        publisher = self.publisher
        if publisher is None or life != self._life:
            return
        again_s = 0.2
        if not self._is_turning:
            self._is_turning = True
            self.merge()
            before = publisher.standing
            again_s = publisher.turn()
            self._is_turning = False
            if publisher.standing != before:
                self._witness.tell(self.name, "is", publisher.standing.state, publisher.standing.why)
        if not is_extra:
            self._agenda.after(max(again_s, 0.05), lambda: self._turn(life))


class _WatchedLedger(Ledger):
    """A ledger whose owner is held to its word."""

    def __init__(self, owner: SimulatedPublisher, redis: SimulatedRedis, reading: _Reading) -> None:
        super().__init__(redis, clock=redis.agenda)
        self._owner = owner
        self._reading = reading

    def publish(
        self,
        encoded: Encoded,
        why: Why,
        *,
        origins: Mapping[str, bytes] | None = None,
        lift: Sequence[str] = (),
        terms: Terms | None = None,
    ) -> Release:
        self._owner.publishing(encoded, self.state, self._reading)
        release = super().publish(encoded, why, origins=origins, lift=lift, terms=terms)
        self._reading.published = self._reading.changes
        return release
