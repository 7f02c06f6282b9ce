"""redis-py's connections, led to the right one of several servers: each time anew when one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from redis.exceptions import (
    AskError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from confbus.link import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.topology import Place

_ELSEWHERE = (ReadOnlyError, AskError, MovedError, TryAgainError, ClusterDownError, MasterDownError)
"""Said by a server that was the right one, or is about to be: a new connection finds the one that is."""


def led(kind: Any, find: Callable[[], Place], *, notice_word: str = "PUBLISH") -> type[Any]:
    """Connections as of `kind`, to the place that `find` gives. What says that it is the wrong place is a
    `ConnectionError` of redis-py's, as is whatever `find` raises."""

    class Led(kind):  # type: ignore[misc]  # whichever kind the URL asks for
        notice_word: str

        def connect_check_health(self, *args: Any, **options: Any) -> None:
            if not self._sock:
                try:
                    self.host, self.port = find()
                except Exception as error:
                    raise RedisConnectionError(reason_of(error)) from error
            super().connect_check_health(*args, **options)

        def read_response(self, *args: Any, **options: Any) -> Any:
            try:
                return cast("Any", super().read_response(*args, **options))
            except _ELSEWHERE as error:
                self.disconnect()
                raise RedisConnectionError(f"it is not the right server now: {error}") from error

    Led.notice_word = notice_word
    return Led


def unled(kind: Any) -> type[Any]:
    """Connections as of `kind` to the one place that there is. A server that became a replica is left: its name may
    lead to another one by now. A node of a Cluster is told as that."""

    class Unled(kind):  # type: ignore[misc]  # as above
        def read_response(self, *args: Any, **options: Any) -> Any:
            try:
                return cast("Any", super().read_response(*args, **options))
            except ReadOnlyError as error:
                self.disconnect()
                raise RedisConnectionError(f"it is not the master: {error}") from error
            except MovedError as error:
                raise ResponseError(reason_of(Exception(f"MOVED {error}"))) from error

    return Unled
