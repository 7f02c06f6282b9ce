"""Where the lines of a log go, without waiting for whoever should read them."""

from __future__ import annotations

import logging
import select
from typing import TextIO

PATIENCE_S = 1.0
_PIECE = 1000
"""Letters at a time: never more bytes than a pipe or socket takes at once when it says that it has room."""


class Outlet(logging.StreamHandler[TextIO]):
    """Writes to `stream`. One that takes nothing, such as a full pipe, is waited for once, for a second; from then on
    lines are lost, until it takes some again. How many were lost is its first line then."""

    def __init__(self, stream: TextIO, *, patience_s: float = PATIENCE_S) -> None:
        super().__init__(stream)
        self._patience_s = patience_s
        self._lost = 0
        self._is_torn = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._lost and self._write(self.format(_loss(self._lost))):
                self._lost = 0
            self._lost += not self._write(self.format(record))
        except Exception:  # noqa: BLE001 — a full disk, or odd arguments: as every handler of logging has it
            self.handleError(record)

    def _write(self, line: str) -> bool:
        """False when the line, or its end, did not fit."""
        text = ("\n" if self._is_torn else "") + line + self.terminator
        for start in range(0, len(text), _PIECE):
            if not self._has_room(0.0 if self._lost else self._patience_s):
                self._is_torn = self._is_torn or start > 0
                return False
            self.stream.write(text[start : start + _PIECE])
            self.stream.flush()
        self._is_torn = False
        return True

    def _has_room(self, patience_s: float) -> bool:
        try:
            number = self.stream.fileno()
        except (OSError, ValueError):  # it is in memory, or closed: a write tells
            return True
        poll = select.poll()
        poll.register(number, select.POLLOUT)
        return bool(poll.poll(patience_s * 1000))


def _loss(lost: int) -> logging.LogRecord:
    text = "%d lines of the log are lost: nobody read them"
    return logging.LogRecord("confbus.publisher", logging.WARNING, __file__, 0, text, (lost,), None)
