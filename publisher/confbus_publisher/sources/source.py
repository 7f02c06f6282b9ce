"""The seam of everything that gives values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confbus.wire.path import Path as KeyPath
    from confbus_publisher.layer import Layer
    from confbus_publisher.sources.context import Context


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


@runtime_checkable
class Polled(Protocol):
    """What a source has, beside the rest, that asks somebody else from time to time, in the background."""

    @property
    def due_in_s(self) -> float:
        """In how many seconds to load again; infinite while whoever listens will be woken."""
        ...

    @property
    def last_good(self) -> Layer | None:
        """The layer to go on with when `load` raises before it ever gave one: that of an earlier process."""
        ...

    def listen(self, wake: Callable[[], object]) -> None:
        """Have `wake` called, from another thread, when `load` may give something new."""
        ...

    def begin(self) -> None:
        """Ask, if it is time to, without waiting: the answers to several sources are then waited for together."""
        ...


@runtime_checkable
class Bindable(Source, Protocol):
    """A source whose layer depends on what the others say."""

    def bind(self, context: Context) -> Layer:
        """What the source says, read in that context; as `load` does without one."""
        ...

    def how(self, path: KeyPath) -> str:
        """In words, by which rules the value at `path` was placed and typed; empty when it is none of this source."""
        ...


class SourceGroup(ABC):
    """Stands for several sources, of which there may be others at each load, as there are files in a directory.

    Each of them gives a layer of its own, so that a change of one costs what that one holds.
    """

    name: str
    priority: int

    @property
    @abstractmethod
    def watched(self) -> tuple[Path, ...]:
        """The directories in which something changes when the group or a member may have changed."""

    @abstractmethod
    def members(self) -> tuple[Source, ...]:
        """The sources that there are now, each above the one before; a member that stays is the same object.

        Raises `SourceFailed` when it cannot be told which there are: then the ones of the last time stand.
        """

    @abstractmethod
    def is_current(self) -> bool:
        """False when what the members read was swapped since `members`: their layers may be of two states."""


AnySource = Source | SourceGroup
