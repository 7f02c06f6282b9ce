"""redis-py's connections, led to the right one of several servers: each time anew when one is made."""

from __future__ import annotations

import time
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

TRUST_S = 1.0
"""How long a place is the right one without asking again."""
_ELSEWHERE = (ReadOnlyError, AskError, MovedError, TryAgainError, ClusterDownError, MasterDownError)
"""Said by a server that was the right one, or is about to be: a new connection finds the one that is."""


def led(
    kind: Any, find: Callable[[], Place], *, is_right: Callable[[Place], bool], notice_word: str = "PUBLISH"
) -> type[Any]:
    """Connections as of `kind`, to the place that `find` gives, for as long as `is_right` says so, which is asked once
    in a while before one is used. What says that it is the wrong place is a `ConnectionError` of redis-py's, as is
    whatever `find` raises."""

    class Led(kind):  # type: ignore[misc]  # whichever kind the URL asks for
        notice_word: str
        _trusted_until = 0.0

        def connect_check_health(self, *args: Any, **options: Any) -> None:
            if not self._sock:
                try:
                    self.host, self.port = find()
                except Exception as error:
                    raise RedisConnectionError(reason_of(error)) from error
                self._trusted_until = time.monotonic() + TRUST_S
            super().connect_check_health(*args, **options)

        def can_read(self, *args: Any, **options: Any) -> bool:
            """What a pool asks before it lends a connection; one that fails is made anew."""
            if time.monotonic() >= self._trusted_until:
                if not is_right((self.host, self.port)):
                    self.disconnect()
                    raise RedisConnectionError("another server is the right one now")
                self._trusted_until = time.monotonic() + TRUST_S
            return cast("bool", super().can_read(*args, **options))

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
