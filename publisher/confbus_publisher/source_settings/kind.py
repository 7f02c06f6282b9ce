"""The seam of every kind of source in confbus.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from confbus_publisher.entry import Entry
    from confbus_publisher.sources.source import AnySource


class SourceSettings(Protocol):
    """What one source is told."""

    @property
    def name(self) -> str: ...

    @property
    def priority(self) -> int: ...

    def build(self) -> AnySource:
        """The source, or the group of sources; nothing is read yet."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """How an entry of one kind is read: the keys that it may have beside its own and `priority`, and what they make.

    `read` gets the entry and the directory at which relative paths start; it raises `InvalidSettings` with the line.
    """

    keys: tuple[str, ...]
    read: Callable[[Entry, Path], Iterator[SourceSettings]]
