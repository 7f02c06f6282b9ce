"""Conflicts in a row. One is somebody who was faster; many are a head that nobody moves, and that cannot be read."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confbus.errors import Conflict

_log = logging.getLogger("confbus.publisher")
_MOST = 5


class Races:
    """What one publisher lost since its last turn without a conflict."""

    def __init__(self) -> None:
        self._lost = 0

    def lose(self, error: Conflict) -> bool:
        """True when it is worth looking again at once. The first of a row is told."""
        self._lost += 1
        if self._lost == 1:
            _log.info("somebody else was faster: %s", error)
        return self._lost <= _MOST

    def end(self) -> None:
        """Nobody was faster this time."""
        self._lost = 0
