"""Takes the messages of pub/sub out of what a server says, and leaves all else as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MESSAGES = (b"*3\r\n$7\r\nmessage\r\n", b"*3\r\n$8\r\nsmessage\r\n")
_END = b"\r\n"


class Sieve:
    """For one connection, from its first byte on. A message for which `drops` says so is left out."""

    def __init__(self, drops: Callable[[], bool]) -> None:
        self._drops = drops
        self._rest = b""

    def sifted(self, data: bytes) -> bytes:
        """What of `data`, and of what came before, can be passed on: whole replies."""
        self._rest += data
        passed: list[bytes] = []
        at = 0
        while (end := _end_of_reply(self._rest, at)) > 0:
            reply = self._rest[at:end]
            if not (reply.startswith(_MESSAGES) and self._drops()):
                passed.append(reply)
            at = end
        self._rest = self._rest[at:]
        return b"".join(passed)


def _end_of_reply(data: bytes, at: int) -> int:
    """Where the reply that begins at `at` ends, or 0 when it is not all there yet."""
    open_items = 1
    while open_items:
        line_end = data.find(_END, at)
        if line_end < 0:
            return 0
        kind, number = data[at : at + 1], data[at + 1 : line_end]
        at = line_end + 2
        open_items -= 1
        if kind == b"*":
            open_items += max(0, int(number))
        elif kind == b"$" and int(number) >= 0:
            at += int(number) + 2
            if at > len(data):
                return 0
    return at
