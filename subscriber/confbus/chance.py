"""Random moments, so that a fleet does not do everything at once."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Chance(Protocol):
        """As much of `random.Random` as a subscriber needs."""

        def uniform(self, a: float, b: float) -> float: ...


_RANGE = 2**32


class Jitter:
    """The system's chance. Importing `random` would take longer than reading a first value. It has no seed: a forked
    child draws other numbers than its parent."""

    __slots__ = ()

    def uniform(self, a: float, b: float) -> float:
        """A number between the two."""
        return a + (b - a) * int.from_bytes(os.urandom(4), "big") / _RANGE
