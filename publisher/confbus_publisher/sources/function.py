"""One function as a source."""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING, Any

from confbus.wire.frozen import thaw
from confbus_publisher.sources.config_source import ConfigSource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Function = Callable[[], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]


class FunctionSource(ConfigSource):
    """What `function` returns, now and every `interval_s` seconds. `function_source` makes one."""

    def __init__(
        self, function: Function, *, name: str, priority: int = 0, interval_s: float = 30.0, timeout_s: float = 10.0
    ) -> None:
        super().__init__(name, priority)
        self.timeout_s = timeout_s
        self._function = function
        self._interval_s = interval_s
        self._taken: Mapping[str, Any] | None = None
        self._asked: tuple[float, Mapping[str, Any]] | None = None

    def __repr__(self) -> str:
        return f"FunctionSource({self.name!r}, priority={self.priority})"

    async def load_config(self) -> dict[str, Any]:
        """What the function returns now, or raises."""
        values = self._function()
        if inspect.isawaitable(values):
            values = await values
        self._asked = (time.monotonic(), values)
        return thaw(values)  # type: ignore[no-any-return]  # whatever it is: the caller looks at it

    async def is_modified(self) -> bool:
        """Whether the function, asked at most once in `interval_s`, says something else than what is in use."""
        if self._asked is None or time.monotonic() - self._asked[0] >= self._interval_s:
            await self.load_config()
        return self._asked is not None and self._asked[1] != self._taken

    def taken(self, config: Mapping[str, Any]) -> None:
        self._taken = config


def function_source(
    function: Function, *, name: str = "", priority: int = 0, interval_s: float = 30.0, timeout_s: float = 10.0
) -> FunctionSource:
    """A source of what `function` returns: a mapping, or a coroutine that gives one.

    It is called every `interval_s` seconds, and at each `reload`. A plain function may block; its thread is its own.
    """
    return FunctionSource(
        function,
        name=name or getattr(function, "__name__", type(function).__name__),
        priority=priority,
        interval_s=interval_s,
        timeout_s=timeout_s,
    )
