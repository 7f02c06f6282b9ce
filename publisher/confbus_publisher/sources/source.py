"""The seam of everything that gives values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from confbus_publisher.layer import Layer


class Source(Protocol):
    """Gives one layer at a time. `name` is for people and unique; of two priorities the higher wins."""

    @property
    def name(self) -> str: ...

    @property
    def priority(self) -> int: ...

    @property
    def watched(self) -> tuple[Path, ...]:
        """The directories in which something changes when this source may have changed; they may not exist."""
        ...

    def load(self) -> Layer:
        """What the source says now; the very same layer as before while nothing changed. Raises `SourceFailed`."""
        ...
