"""A connection of redis-py's, for whatever needs more than a plain socket: TLS, and options in the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.connection import ErrorReply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from confbus.connection import Word


class BorrowedConnection:
    """One connection of the kind that `client` makes, driven by hand: its `PubSub` reconnects and subscribes again
    without a word, and a gap nobody knows of is a change nobody applies."""

    def __init__(self, client: Redis) -> None:
        self._connection: Any = client.connection_pool.make_connection()
        self._connection.connect()

    def send(self, *commands: Sequence[Word]) -> None:
        self._connection.send_packed_command(self._connection.pack_commands(commands), check_health=False)

    def receive(self) -> Any:
        from redis.exceptions import ResponseError

        try:
            reply = self._connection.read_response(disable_decoding=True)
        except ResponseError as error:
            return ErrorReply(str(error))
        return ErrorReply(str(reply)) if isinstance(reply, ResponseError) else reply

    def has_more(self) -> bool:
        return self.is_readable()  # which of the two it is only its parser knows

    def is_readable(self) -> bool:
        from redis.exceptions import ConnectionError as Closed

        try:
            return bool(self._connection.can_read(timeout=0))
        except Closed:
            return True  # `receive` tells the news

    def fileno(self) -> int:
        return int(self._connection._sock.fileno())

    def close(self) -> None:
        self._connection.disconnect()
