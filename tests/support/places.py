"""Places where releases are kept, with a way behind the publisher's back: one view for the tests of every store."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from redis import ConnectionPool, Redis

from confbus.wire.encoder import Encoder
from confbus.wire.keys import Keys
from confbus_publisher.ledger import Ledger, Store
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.ledger.redis import RedisStore

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from confbus.wire.encoder import Encoded
    from confbus.wire.head import Head
    from support.clock import Clock


class Place(Protocol):
    """Where releases are kept. `store` gives a new view of it, as another publisher would have."""

    def store(self) -> Store: ...

    def content(self) -> Mapping[Any, Any]:
        """All that is kept, to compare."""
        ...

    def lose_blob(self, digest: str) -> None: ...

    def lose_release(self, version: int) -> None: ...

    def leave_release(self, version: int) -> None:
        """Put a release of that number there, as an earlier life may have left it."""
        ...

    def put_head(self, head: Head) -> None: ...


class MemoryPlace(MemoryStore):
    """The memory of this process."""

    def store(self) -> Store:
        return self

    def content(self) -> Mapping[Any, Any]:
        kept = (self._releases, self._blobs, self._quarantine, self._fleet)
        amended = [dict(each) for each in self._amended.values()]
        facts = {"head": self._head, "log": list(self._log), "guard": self._guard}
        return {**facts, "kept": [dict(each) for each in kept], "amended": amended}

    def lose_blob(self, digest: str) -> None:
        del self._blobs[digest]

    def lose_release(self, version: int) -> None:
        del self._releases[version]

    def lose_all(self) -> None:
        """As a server that began anew without its data."""
        self._head = self._guard = None
        for kept in (self._releases, self._blobs, self._quarantine, self._log):
            kept.clear()

    def leave_release(self, version: int) -> None:
        self._releases[version] = next(iter(self._releases.values()))

    def put_head(self, head: Head) -> None:
        self._head = head


class RedisPlace:
    """A namespace on a server, real or not. `client` works behind the publisher's back."""

    def __init__(self, client: Redis, namespace: str, connect: Callable[[], Redis]) -> None:
        self.client: Any = client
        self.keys = Keys(namespace)
        self._connect = connect

    def store(self) -> RedisStore:
        return RedisStore(self._connect(), self.keys, where="the test's server", patience_s=2.0)

    def content(self) -> Mapping[Any, Any]:
        readers = {b"hash": self.client.hgetall, b"stream": self.client.xrange, b"string": self.client.get}
        names = sorted(self.client.scan_iter(match=f"*{{{self.keys.namespace}}}*"))
        return {name: readers[self.client.type(name)](name) for name in names}

    def lose_blob(self, digest: str) -> None:
        assert self.client.hdel(self.keys.blobs, digest)

    def lose_release(self, version: int) -> None:
        assert self.client.delete(self.keys.release(version))

    def leave_release(self, version: int) -> None:
        self.client.hset(self.keys.release(version), "digest", "0" * 64)

    def put_head(self, head: Head) -> None:
        self.client.hset(self.keys.head, mapping=head.fields())

    @contextmanager
    def store_of_user(self, *rules: str) -> Generator[RedisStore]:
        """The store as a user of the server sees it who has only these rights."""
        with self.client_of_user(*rules) as limited:
            yield RedisStore(limited, self.keys, where="the test's server", patience_s=2.0)

    @contextmanager
    def client_of_user(self, *rules: str) -> Generator[Redis]:
        """A client of a user of the server who has only these rights."""
        self.client.execute_command("ACL", "SETUSER", "limited", "on", ">secret", *rules)
        pool = self.client.connection_pool
        settings: dict[str, Any] = {**pool.connection_kwargs, "username": "limited", "password": "secret"}
        limited = Redis(connection_pool=ConnectionPool(connection_class=pool.connection_class, **settings))
        try:
            yield limited
        finally:
            limited.connection_pool.disconnect()
            self.client.execute_command("ACL", "DELUSER", "limited")


def ledger(place: Place, *, clock: Clock | None = None, history: int = 50) -> Ledger:
    """A publisher's ledger of what is at `place`, up to date."""
    timed: dict[str, Any] = {"clock": clock} if clock else {}
    new = Ledger(place.store(), history=history, **timed)
    new.refresh()
    return new


def encoded(document: Mapping[str, Any]) -> Encoded:
    """A document as a publisher that never published before would encode it."""
    return Encoder().encode(document)
