"""A connection that was found by way of others, and goes on to whoever it was found for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus.connection import Connection, Word


class Relay:
    """Hands everything on to another connection; for those that add to it."""

    def __init__(self, inner: Connection) -> None:
        self._inner = inner

    def send(self, *commands: Sequence[Word]) -> None:
        self._inner.send(*commands)

    def receive(self) -> Any:
        return self._inner.receive()

    def has_more(self) -> bool:
        return self._inner.has_more()

    def is_readable(self) -> bool:
        return self._inner.is_readable()

    def fileno(self) -> int:
        return self._inner.fileno()

    def close(self) -> None:
        self._inner.close()
