"""The class that own sources inherit from: the guide's `ConfigSource`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from confbus_publisher.sources.validation import problems_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class ConfigSource(ABC):
    """Where values come from. Subclasses say how to load them and how to tell that they changed.

    Of two priorities the higher wins. `name` is for people, and unique among the sources of one manager; without one
    it is the name of the class. `timeout_s` bounds one load with all that belongs to it: a source that takes longer
    has failed, keeps its last good values, and stops nobody else.

    The methods run in a thread of the source's own, always in the same event loop, never two at once for one manager;
    other callers call them from theirs. What they raise is the reason why the source failed.
    """

    name: str = ""
    priority: int = 0
    timeout_s: float = 10.0
    kind: ClassVar[str] = "own"

    def __init__(self, name: str = "", priority: int = 0) -> None:
        self.name = name or self.name or type(self).__name__
        self.priority = priority

    @abstractmethod
    async def load_config(self) -> dict[str, Any]:
        """All values as they are now, raw: nothing in them is expanded."""

    @abstractmethod
    async def is_modified(self) -> bool:
        """Whether `load_config` would give other values than those in use.

        Asking consumes nothing: the answer stays the same until the values are taken. Raises when the source cannot
        be reached.
        """

    async def validate_config(self, config: dict[str, Any]) -> tuple[bool, list[str]]:
        """Whether `config` may be used, and one line for each thing that is wrong with it; no line holds a value.

        A manager asks before it takes new values; those that are refused change nothing.
        """
        problems = problems_of(config, source=title(self), kind=self.kind)
        return not problems, problems

    def taken(self, config: Mapping[str, Any]) -> None:  # noqa: B027 — most sources need not know
        """Called when `config` is in use from now on. `is_modified` may compare with it."""


def title(source: ConfigSource) -> str:
    """The name of `source`, also when its class never called ours."""
    return source.name or type(source).__name__
