"""One namespace on a real server whose section `db` is sealed: publishers with keyrings, workers with and without keys,
and whoever writes behind everybody's back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import confbus
from confbus.client import keys_of, make_client
from confbus.errors import SealedError
from confbus.wire.sealed import parse
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.publisher import Publisher
from support.bus import PACE, TIMING, Edits, MortalStore, RunningPublisher
from support.eventually import eventually
from support.seals import ring, seals

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from confbus import Snapshot
    from confbus.wire.encoder import Encoded

SECRET = "correct horse battery staple"


def document(number: int) -> dict[str, Any]:
    """A document whose parts all tell one number; `db` is to be sealed."""
    return {"number": number, "db": {"number": number, "password": f"{SECRET} {number}"}, "web": {"number": number}}


class Reader:
    """A worker that opens with the keyring at `path`, and every whole number that it came to read."""

    def __init__(self, bus: SealedBus, path: Path) -> None:
        self.path = path
        self.saw: list[int] = []
        self.config = confbus.connect(
            bus.url, namespace=bus.namespace, timing=TIMING, timeout_s=30, open_keys=path, validators=[self._look]
        )

    @property
    def number(self) -> int:
        """What it reads in the sealed section."""
        number: int = self.config["db.number"]
        return number

    @property
    def story(self) -> list[int]:
        """The numbers that it came to read, each once in a row: a content may come again under another key."""
        return [number for at, number in enumerate(self.saw) if at == 0 or number != self.saw[at - 1]]

    @property
    def state(self) -> str:
        return self.config.status().state

    @property
    def is_locked(self) -> bool:
        try:
            self.config["db.number"]
        except SealedError:
            return True
        return False

    def use(self, *keys: str) -> None:
        """Give it these keys."""
        self.path.write_text(ring(*keys).text())

    def _look(self, snapshot: Snapshot) -> None:
        number: int = snapshot["number"]
        assert snapshot["web.number"] == number
        if not snapshot.locked:
            assert snapshot == document(number)
        self.saw.append(number)


class SealedBus:
    """A context manager that ends everybody."""

    def __init__(self, url: str, namespace: str, directory: Path) -> None:
        self.url = url
        self.namespace = namespace
        self.directory = directory
        self.client: Any = make_client(url, namespace=namespace)
        self.keys = keys_of(self.client, namespace)
        self.ledger = Ledger(RedisStore(self.client, self.keys, where=url))
        self._readers: list[Reader] = []
        self._running: list[RunningPublisher] = []

    def keyring(self, name: str, *keys: str) -> Path:
        """The keyring of the publishers called `name`, with `keys`, the first of them active."""
        path = self.directory / f"{name}.keys"
        seals(path, ring_of=keys)
        return path

    def resting(self, number: int, *, name: str = "ann") -> Publisher:
        """A publisher with the keyring of `name`, whose turns are the test's."""
        sealing = seals(self.directory / f"{name}.keys", "db", namespace=self.namespace, ring_of=())
        client = make_client(self.url, timeout_s=1.0, namespace=self.namespace)
        store = MortalStore(client, self.keys, where=self.url, patience_s=0.5)
        self.edits = Edits(document(number))
        return Publisher(
            Inputs([self.edits], limit_bytes=10_000_000, seals=sealing),
            Ledger(store, seals=sealing),
            self.memory_file(name),
            identity=f"{name} {id(store)}",
            author=name,
            pace=PACE,
        )

    def publisher(self, number: int, *, name: str = "ann") -> RunningPublisher:
        """The same at work, after its first turn."""
        resting = self.resting(number, name=name)
        running = RunningPublisher(resting, self.edits, self.memory_file(name))
        self._running.append(running)
        eventually(lambda: running.state != "starting" or running.failure, describe=lambda: running.why)
        return running

    def memory_file(self, name: str = "ann") -> MemoryFile:
        return MemoryFile(self.directory / name / "state", self.namespace)

    def reader(self, name: str, *keys: str) -> Reader:
        """A worker with a keyring of its own."""
        path = self.directory / f"{name}.open"
        path.write_text(ring(*keys).text() if keys else "")
        reader = Reader(self, path)
        self._readers.append(reader)
        return reader

    def forge(self, encoded: Encoded) -> int:
        """Make a release past every publisher, as whoever can write to Redis can; its version."""
        self.ledger.refresh()
        return self.ledger.publish(encoded, Why("mallory")).version

    def sealed(self) -> bytes:
        """What the head has for `db`."""
        state = self.ledger.refresh()
        assert state
        return state.blobs[state.release.manifest.sections["db"]]

    def key(self) -> str:
        """The id of the key of the head's `db`; empty while there is no head."""
        return parse(self.sealed(), what="db").key if self.ledger.refresh() else ""

    def actions(self) -> list[str]:
        """What was done, oldest first."""
        return [entry.fields["action"] for entry in reversed(self.ledger.store.log(10_000))]

    def dump(self) -> bytes:
        """Every byte that the server has of this namespace."""
        readers = {b"hash": self.client.hgetall, b"stream": self.client.xrange, b"string": self.client.get}
        names = self.client.keys(f"*{{{self.namespace}}}*")
        return b"".join(_flat([name, readers[self.client.type(name)](name)]) for name in names)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self._readers:
            reader.config.close()
        for publisher in self._running:
            publisher.stop()
        self.client.close()


def _flat(reply: Any) -> bytes:
    if isinstance(reply, dict):
        return b"".join(_flat(part) for item in reply.items() for part in item)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # redis-py's
    if isinstance(reply, list | tuple):
        return b"".join(map(_flat, reply))  # pyright: ignore[reportUnknownArgumentType]  # redis-py's
    return reply if isinstance(reply, bytes) else b""
