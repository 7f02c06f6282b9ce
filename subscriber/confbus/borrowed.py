"""A connection of redis-py's, for whatever needs more than a plain socket: TLS, options in the URL, a client of the
caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.client import own_settings
from confbus.connection import CONNECT_TIMEOUT_S, TIMEOUT_S, ErrorReply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from confbus.connection import Word


_CODES = {"AskError": "ASK", "MovedError": "MOVED", "ReadOnlyError": "READONLY"}


class BorrowedConnection:
    """One connection of the kind that `client` makes, driven by hand: its `PubSub` reconnects and subscribes again
    without a word, and a gap nobody knows of is a change nobody applies."""

    def __init__(self, client: Redis, *, name: str) -> None:
        self._client = client  # its pool may be what tells a connection where to go
        pool: Any = client.connection_pool
        settings: dict[str, Any] = pool.connection_kwargs
        waits = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": CONNECT_TIMEOUT_S}
        bounded = {each: settings.get(each) or wait_s for each, wait_s in waits.items()}
        self._connection: Any = pool.connection_class(**{**settings, **bounded, **own_settings(name)})
        self._connection.connect()
        self._introduce(name)

    def send(self, *commands: Sequence[Word]) -> None:
        self._ensure_open()
        self._connection.send_packed_command(self._connection.pack_commands(commands), check_health=False)

    def receive(self) -> Any:
        from redis.exceptions import ResponseError

        self._ensure_open()
        try:
            reply = self._connection.read_response(disable_decoding=True)
        except ResponseError as error:
            return ErrorReply(_words_of(error))
        return ErrorReply(_words_of(reply)) if isinstance(reply, ResponseError) else reply

    def has_more(self) -> bool:
        return self.is_readable()  # which of the two it is only its parser knows

    def is_readable(self) -> bool:
        from redis.exceptions import ConnectionError as Closed

        if self._connection._sock is None:
            return True
        try:
            return bool(self._connection.can_read(timeout=0))
        except (Closed, OSError):
            return True  # `receive` tells the news

    def fileno(self) -> int:
        return int(self._connection._sock.fileno())

    def close(self) -> None:
        self._connection.disconnect()

    def _ensure_open(self) -> None:
        """redis-py closes after a failure, and would connect again by itself."""
        if self._connection._sock is None:
            raise ConnectionResetError("the server closed the connection")

    def _introduce(self, name: str) -> None:
        """A user who may not give the name may read all the same."""
        if name:
            try:
                self.send(("CLIENT", "SETNAME", name))
                self.receive()
            except BaseException:
                self.close()
                raise


def _words_of(error: Exception) -> str:
    """What the server said. redis-py cuts the first word off, and those of a Cluster are answers, not faults."""
    code = _CODES.get(type(error).__name__)
    return f"{code} {error}" if code else str(error)
