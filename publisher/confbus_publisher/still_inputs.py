"""Inputs for a publisher that shall not follow its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.inputs import Inputs, Merge

if TYPE_CHECKING:
    from pathlib import Path


class StillInputs(Inputs):
    """Read once: what the sources said when all of them could be read, they say until the settings are read again."""

    _first: Merge | None = None

    @property
    def watched(self) -> set[Path]:
        return set()

    def load(self) -> Merge:
        if self._first is None:
            self._first = super().load()
        return self._first
