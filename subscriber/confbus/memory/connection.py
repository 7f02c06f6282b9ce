"""One connection to a server in memory, with a descriptor to wait on like any other."""

from __future__ import annotations

import os
import select
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from confbus.connection import TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus.connection import Word
    from confbus.memory.server import MemoryServer


class MemoryConnection:
    """A `Connection`. A pipe holds one byte for each reply that came, so that it can be polled.

    The client's half is `send` to `close`; `give` and `hang_up` are the server's, called under its lock.
    """

    def __init__(self, server: MemoryServer) -> None:
        self.channels: set[bytes] = set()
        self._server = server
        self._replies: deque[Any] = deque()
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._poller = select.poll()
        self._poller.register(self._read, select.POLLIN)
        server.attach(self)

    def send(self, *commands: Sequence[Word]) -> None:
        if self._write < 0:
            raise ConnectionResetError("the server closed the connection")
        self._server.take(self, commands)

    def receive(self) -> Any:
        if not self._poller.poll(TIMEOUT_S * 1000):
            raise TimeoutError(f"the server said nothing within {TIMEOUT_S:g} s")
        if not os.read(self._read, 1):
            raise ConnectionResetError("the server closed the connection")
        return self._replies.popleft()

    def has_more(self) -> bool:
        return False  # each reply has a byte of its own

    def is_readable(self) -> bool:
        return bool(self._poller.poll(0))

    def fileno(self) -> int:
        return self._read

    def close(self) -> None:
        self._server.detach(self)
        if self._read >= 0:
            os.close(self._read)
            self._read = -1

    def give(self, reply: Any) -> None:
        """Let the client receive `reply`."""
        if self._write < 0:
            return
        self._replies.append(reply)
        try:
            os.write(self._write, b"!")
        except BlockingIOError:
            self.hang_up()  # as Redis does with a client that does not read

    def hang_up(self) -> None:
        """Let the client receive what came so far, and then the news that the connection is closed."""
        if self._write >= 0:
            with suppress(OSError):
                os.close(self._write)
            self._write = -1
