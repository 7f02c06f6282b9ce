"""A memory of the head that ends with its process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from confbus_publisher.memory_file import MemoryFile

if TYPE_CHECKING:
    from confbus_publisher.ledger import State


class Forgetful(MemoryFile):
    """For a publisher that shall know no past: its ledger has none, or nobody said where to write it.

    A loss of Redis is then undone only while it runs.
    """

    def __init__(self) -> None:
        super().__init__(Path(os.devnull), "")

    def recall(self) -> tuple[State | None, str | None]:
        return None, None

    def keep(self, state: State, accounted: str | None) -> None:
        """Nothing is kept."""
