"""The server in memory: hashes, channels, and the words of Redis that workers and their publishers use.

It can be told to misbehave, as networks and servers do; see `confbus.testing`.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

from confbus.connection import ErrorReply
from confbus.memory.connection import MemoryConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confbus.connection import Word

_OK = b"OK"


class MemoryServer:
    """Keeps hashes and passes messages on. Thread-safe. `execute` runs commands behind everybody's back."""

    def __init__(self) -> None:
        self._hashes: dict[bytes, dict[bytes, bytes]] = {}
        self._connections: list[MemoryConnection] = []
        self._held: list[tuple[MemoryConnection, Any]] = []
        self._is_stalled = self._is_refusing = False
        self._drops: Callable[[], bool] = lambda: False
        self._pid = os.getpid()
        self._lock = threading.RLock()

    def open(self, _name: str) -> MemoryConnection:
        """A new connection. Raises `ConnectionRefusedError` while the server refuses them."""
        if self._is_refusing:
            raise ConnectionRefusedError("the server refuses connections")
        return MemoryConnection(self)

    def execute(self, *commands: Sequence[Word]) -> list[Any]:
        """The replies to `commands`, which nothing comes between."""
        with self._guard:
            return [self._reply([_raw(word) for word in command]) for command in commands]

    def stall(self) -> None:
        """Say nothing more to anybody, until `flow`; connections stay open."""
        with self._guard:
            self._is_stalled = True

    def refuse(self) -> None:
        """Close all connections and accept none, until `flow`."""
        with self._guard:
            self._is_refusing = True
            self.sever()

    def flow(self) -> None:
        """Accept connections and say everything again, first what was held back, and lose no notices."""
        with self._guard:
            self._is_stalled = self._is_refusing = False
            self._drops = lambda: False
            held, self._held = self._held, []
            for connection, reply in held:
                connection.give(reply)

    def sever(self) -> None:
        """Close all connections; new ones are accepted."""
        with self._guard:
            connections, self._connections = self._connections, []
            self._held.clear()
            for connection in connections:
                connection.hang_up()

    def drop_notices(self, drops: Callable[[], bool]) -> None:
        """Lose each message for which `drops` says so, until `flow`."""
        with self._guard:
            self._drops = drops

    def attach(self, connection: MemoryConnection) -> None:
        with self._guard:
            self._connections.append(connection)

    def detach(self, connection: MemoryConnection) -> None:
        with self._guard:
            if connection in self._connections:
                self._connections.remove(connection)
            connection.hang_up()

    def take(self, connection: MemoryConnection, commands: Sequence[Sequence[Word]]) -> None:
        """Work off what a client sent."""
        with self._guard:
            for command in commands:
                for reply in self._answers(connection, [_raw(word) for word in command]):
                    self._say(connection, reply)

    @property
    def _guard(self) -> threading.RLock:
        """The lock. A forked child makes its own: a thread of the parent may have held the one that it inherited."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._lock = threading.RLock()
        return self._lock

    def _say(self, connection: MemoryConnection, reply: Any) -> None:
        if self._is_stalled:
            self._held.append((connection, reply))
        else:
            connection.give(reply)

    def _answers(self, connection: MemoryConnection, command: list[bytes]) -> list[Any]:
        """What a client hears of its command: more than one reply, when it names more than one channel."""
        match command[0].upper(), command[1:]:
            case b"SUBSCRIBE", [_, *_] as channels:
                return [self._listen(connection, channel) for channel in channels]
            case b"UNSUBSCRIBE", [_, *_] as channels:
                return [self._stop_listening(connection, channel) for channel in channels]
            case b"PING", [] if connection.channels:
                return [[b"pong", b""]]
            case _:
                return [self._reply(command)]

    def _reply(self, command: list[bytes]) -> Any:
        match command[0].upper(), command[1:]:
            case b"HGETALL", [key]:
                return [part for field in self._hashes.get(key, {}).items() for part in field]
            case b"HMGET", [key, _, *_]:
                kept = self._hashes.get(key, {})
                return [kept.get(name) for name in command[2:]]
            case b"HSET", [key, _, _, *_] if len(command) % 2 == 0:
                kept = self._hashes.setdefault(key, {})
                before = len(kept)
                kept.update(zip(command[2::2], command[3::2], strict=True))
                return len(kept) - before
            case b"HDEL", [key, _, *_]:
                return self._delete_fields(key, command[2:])
            case b"DEL", [_, *_] as keys:
                return sum(self._hashes.pop(key, None) is not None for key in keys)
            case b"PUBLISH", [channel, message]:
                return self._publish(channel, message)
            case b"TIME", []:
                seconds, nanos = divmod(time.time_ns(), 10**9)
                return [b"%d" % seconds, b"%d" % (nanos // 1000)]
            case b"PING", []:
                return b"PONG"
            case name, _:
                return ErrorReply(f"ERR unknown command '{name.decode(errors='replace')}', or wrong arguments for it")

    def _delete_fields(self, key: bytes, fields: Sequence[bytes]) -> int:
        kept = self._hashes.get(key, {})
        deleted = sum(kept.pop(field, None) is not None for field in fields)
        if not kept:
            self._hashes.pop(key, None)
        return deleted

    def _publish(self, channel: bytes, message: bytes) -> int:
        if self._drops():
            return 0
        listening = [each for each in self._connections if channel in each.channels]
        for connection in listening:
            self._say(connection, [b"message", channel, message])
        return len(listening)

    def _listen(self, connection: MemoryConnection, channel: bytes) -> Any:
        connection.channels.add(channel)
        return [b"subscribe", channel, len(connection.channels)]

    def _stop_listening(self, connection: MemoryConnection, channel: bytes) -> Any:
        connection.channels.discard(channel)
        return [b"unsubscribe", channel, len(connection.channels)]


def _raw(word: Word) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()
