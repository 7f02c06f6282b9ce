"""The real publisher in a simulated world: its sources, its memory and its crashes are ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from confbus.wire.frozen import Frozen
from confbus_publisher.inputs import Inputs, Merge
from confbus_publisher.layer import Layer
from confbus_publisher.ledger import Ledger
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from confbus.wire.release import Release
    from confbus.wire.sections import Encoded
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
        self._rng = rng
        self._highest = 0
        self._numbers = dict.fromkeys(("db", "web", "ops"), 0)
        self._extra = {"pad": _PAD} if is_large else {}
        self._layer = self._now()

    def change(self) -> None:
        self._highest += 1
        section = self._rng.choice(tuple(self._numbers))
        is_new = self._rng.random() < 0.75
        self._numbers[section] = self._highest if is_new else self._rng.randrange(self._highest)
        self._layer = self._now()

    def load(self) -> Layer:
        return self._layer

    def _now(self) -> Layer:
        tree = {name: Frozen({"n": number} | self._extra) for name, number in self._numbers.items()}
        return Layer(self.name, 0, Frozen(tree), {})


class SimulatedMemory(MemoryFile):
    """A memory file that keeps every state it ever had, so that a crash may bring any of them back, or none.

    `held` is what its owner must know to be rolled back: what was in the file, less what an operator lifted since.
    """

    def __init__(self, witness: Witness) -> None:
        super().__init__(Path("nowhere"), "simulated")
        self._witness = witness
        self._saved: list[tuple[State, str, int]] = []
        self.held: set[str] = set()
        witness.watch(self.held)

    def load(self) -> tuple[State | None, str]:
        self.held.clear()
        if not self._saved:
            return None, ""
        state, accounted, at = self._saved[-1]
        self.held.update(state.quarantine.keys() - set().union(*self._witness.lifted[at:]))
        return state, accounted

    def save(self, state: State, accounted: str) -> None:
        self._saved.append((state, accounted, len(self._witness.lifted)))
        self.held.update(state.quarantine)

    def age(self, rng: Random) -> None:
        """Come back as it was some time ago."""
        luck = rng.random()
        if luck < 0.15:
            self._saved.clear()
        elif luck < 0.4:
            del self._saved[rng.randrange(len(self._saved) + 1) :]


class WatchedLedger(Ledger):
    """A ledger whose owner is held to its word."""

    def __init__(self, store: SimulatedRedis, witness: Witness, agenda: Agenda, memory: SimulatedMemory) -> None:
        super().__init__(store, clock=agenda)
        self._witness = witness
        self._memory = memory

    def publish(self, encoded: Encoded, why: Why, *, lift: Sequence[str] = ()) -> Release:
        self._witness.publishes(why.author, encoded.manifest, self._memory.held | self.store.quarantine().keys())
        return super().publish(encoded, why, lift=lift)


class SimulatedPublisher:
    """One publisher process after the other, on one machine with one memory file."""

    def __init__(
        self,
        name: str,
        source: SimulatedSource,
        *,
        redis: SimulatedRedis,
        agenda: Agenda,
        rng: Random,
        witness: Witness,
        has_memory: bool,
    ) -> None:
        self.name = name
        self.publisher: Publisher | None = None
        self._source = source
        self._redis = redis
        self._agenda = agenda
        self._rng = rng
        self._witness = witness
        self._memory = SimulatedMemory(witness)
        self._has_memory = has_memory
        self._is_turning = False
        self._life = 0

    def start(self) -> None:
        if not self._has_memory:
            self._memory = SimulatedMemory(self._witness)
        known, accounted = self._memory.load()
        self._life += 1
        ledger = WatchedLedger(self._redis, self._witness, self._agenda, self._memory)
        inputs = Inputs([self._source], limit_bytes=1_000_000)
        self.publisher = Publisher(
            inputs, ledger, self._memory, identity=f"{self.name}:{self._life}", author=self.name, clock=self._agenda
        )
        self._witness.tell(self.name, "starts", known and known.head, accounted[:4])
        self._turn(self._life)

    def crash(self) -> None:
        self.publisher = None
        self._life += 1
        self._memory.age(self._rng)
        self._witness.tell(self.name, "crashes")

    def change_source(self) -> None:
        self._source.change()
        self.look()

    def look(self) -> None:
        """Take a turn soon."""
        life = self._life
        self._agenda.after(self._rng.uniform(0, 0.3), lambda: self._turn(life, is_extra=True))

    def merge(self) -> Merge:
        """What its sources say now."""
        merge = Inputs([self._source], limit_bytes=1_000_000).load()
        self._witness.merged(merge.manifest.digest, self._source.load().tree)
        return merge

    def _turn(self, life: int, *, is_extra: bool = False) -> None:
        publisher = self.publisher
        if publisher is None or life != self._life:
            return
        again_s = 0.2
        if not self._is_turning:
            before = publisher.standing
            self._is_turning = True
            self.merge()
            again_s = publisher.turn()
            self._is_turning = False
            if publisher.standing != before:
                self._witness.tell(self.name, "is", publisher.standing.state, publisher.standing.why)
        if not is_extra:
            self._agenda.after(max(again_s, 0.05), lambda: self._turn(life))
