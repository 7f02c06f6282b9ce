"""What a manager is made of, and how it comes apart: none of the parts knows the manager, so that it can be let go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from confbus.errors import InvalidSettings
from confbus.wire.path import Pattern
from confbus_publisher import opening
from confbus_publisher.checks.secrets import Allowed, Mode, SecretCheck
from confbus_publisher.expansion.file_roots import FileRoots
from confbus_publisher.guard.guard import Terms
from confbus_publisher.guard.guarding import Policy
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.manager.engine import Engine
from confbus_publisher.manager.forgetful import Forgetful
from confbus_publisher.manager.gates import Gates
from confbus_publisher.manager.reader import LocalReader
from confbus_publisher.manager.turn import TurningPublisher
from confbus_publisher.manager.worker import Worker
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.pace import Pace
from confbus_publisher.seal_settings import DEFAULT_KEYS
from confbus_publisher.sealing.key_file import KeyFile
from confbus_publisher.sealing.seals import Seals
from confbus_publisher.settings import DOCUMENT_LIMIT_BYTES
from confbus_publisher.sources.source import Polled
from confbus_publisher.sources.value_file import SECRETS
from confbus_publisher.watch import Watcher

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from confbus.wire.snapshot import Snapshot
    from confbus_publisher.checks import Check
    from confbus_publisher.ledger import Store
    from confbus_publisher.manager.admission import Admitted
    from confbus_publisher.manager.reader import Reader

    Judges = list[Callable[[Snapshot], object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a manager publishes, and by what terms; see `ConfigManager`."""

    redis: str | None
    namespace: str | None
    state: str | os.PathLike[str] | None
    author: str
    versions: int
    interval_s: float
    gate_timeout_s: float
    seal: tuple[str, ...] = ()
    keys: Path = Path(DEFAULT_KEYS)
    secrets_allow: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if (self.redis is None) is not (self.namespace is None):
            missing, given = ("a namespace", "redis") if self.redis else ("a URL", "namespace")
            advice = "Give redis= and namespace=, or neither to stay in this process."
            raise InvalidSettings("ConfigManager", f"{given} is given without {missing}", advice=advice)


class Parts:
    """The publisher, the engine that drives it, the worker in whose thread that runs, and the watcher."""

    def __init__(self, publisher: TurningPublisher, *, is_watching: bool) -> None:
        self.engine: Engine
        self.worker = Worker("confbus-manager", rest=self._check, leave=self._leave)
        self.publisher = publisher
        self._is_watching = is_watching
        self._watcher: Watcher | None = None

    def keep_up(self) -> None:
        """From now on, look at the sources again and again. For the worker's thread."""
        self._watch()
        self.worker.look(in_s=self.engine.again_s)

    def add(self, source: Admitted, *, is_begun: bool) -> None:
        """As `Engine.add`; then its directories are watched too, and it may say that there is something new."""
        self.engine.add(source, is_begun=is_begun)
        if isinstance(source, Polled):
            source.listen(self.worker.look)
        if self._watcher is not None:
            self._watcher.stop()
            self._watch()

    def catch_up(self, change: str) -> None:
        """Look soon, if the head's `change` is not one of ours. For any thread."""
        self.worker.ask(partial(self._catch_up, change), key=change)

    def end(self) -> None:
        """Begin to end; returns at once."""
        self.engine.ending.set()
        self.worker.end()

    def _catch_up(self, change: str) -> None:
        if not self.engine.knows(change):
            self.worker.look()

    def _watch(self) -> None:
        if self._is_watching:
            self._watcher = Watcher(lambda: self.publisher.inputs.watched, self.worker.look)
            self._watcher.start()

    def _check(self) -> float:
        again_s = self.engine.check()
        self.publisher.measures.beat(at_once=True)
        return again_s

    def _leave(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        self.engine.leave()


def assemble(place: Place, validators: Judges, gates: Judges, *, is_watching: bool) -> Parts:
    """The parts of a manager at `place`; nothing is read, and no thread runs yet."""
    identity, author = opening.identity(), place.author or opening.author()
    seals = Seals(place.namespace or "", place.seal, KeyFile(place.keys), is_dry=place.redis is None)
    publisher = TurningPublisher(
        Inputs(
            (),
            limit_bytes=DOCUMENT_LIMIT_BYTES,
            files=FileRoots([SECRETS], base=Path()),
            checks=_checks(place),
            is_shared=place.redis is not None,
            seals=seals,
        ),
        Ledger(_store(place, identity), history=place.versions, seals=seals),
        MemoryFile(Path(place.state), place.namespace) if place.state and place.namespace else Forgetful(),
        identity=identity,
        author=author,
        pace=_pace(place),
        # Readers and gates judge at once; if this process dies before, whoever is active next does.
        guard=Policy(Terms(0.0)),
    )
    parts = Parts(publisher, is_watching=is_watching)
    reader = _reader(place, validators, moved=parts.catch_up)
    parts.engine = Engine(
        publisher,
        reader,
        Gates(gates, timeout_s=place.gate_timeout_s),
        author=author,
        kept=place.versions,
        is_watching=is_watching,
    )
    return parts


def _checks(place: Place) -> tuple[Check, ...]:
    """In Redis others read what goes out; what is in memory alone, every source was asked about."""
    allowed = [Allowed(Pattern(path), reason) for path, reason in place.secrets_allow]
    return (SecretCheck(Mode.BLOCK, allowed),) if place.redis is not None else ()


def _store(place: Place, identity: str) -> Store:
    if place.redis is None or place.namespace is None:
        return MemoryStore()
    from confbus.address import redacted
    from confbus.client import keys_of, make_client
    from confbus_publisher.ledger.redis import RedisStore

    client = make_client(place.redis, name=f"confbus:{identity}", namespace=place.namespace)
    keys = keys_of(client, place.namespace)
    return RedisStore(client, keys, where=redacted(place.redis), patience_s=opening.PATIENCE_S)


def _pace(place: Place) -> Pace:
    """A ledger in memory has no other publisher, so its lease follows the interval; on Redis the interval follows."""
    if place.redis is None:
        return Pace(poll_s=place.interval_s, lease_s=3 * place.interval_s)
    return Pace(poll_s=place.interval_s)


def _reader(place: Place, validators: Judges, *, moved: Callable[[str], object]) -> Reader:
    if place.redis is None or place.namespace is None:
        return LocalReader(validators)
    from confbus_publisher.manager.fleet_reader import FleetReader

    return FleetReader(
        place.redis,
        place.namespace,
        validators,
        poll_s=place.interval_s,
        moved=moved,
        open_keys=place.keys if place.seal else None,
    )
