"""A source that says what a test wants."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from confbus_publisher.sources.config_source import ConfigSource

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping


class Said(ConfigSource):
    """Says `tree`; raises `failure` when there is one; waits for `gate` (blocking the thread) or for ever when it
    `hangs`. `loads` counts how often it was asked for its values."""

    def __init__(self, tree: Mapping[str, Any], *, name: str = "said", priority: int = 0) -> None:
        super().__init__(name, priority)
        self.tree: Any = tree
        self.failure: BaseException | None = None
        self.errors: list[str] = []
        self.hangs = False
        self.gate: threading.Event | None = None
        self.loads = 0
        self._in_use: Any = None

    async def load_config(self) -> dict[str, Any]:
        self.loads += 1
        await self._obstacles()
        return self.tree  # type: ignore[no-any-return]  # nonsense too, when a test says so

    async def is_modified(self) -> bool:
        await self._obstacles()
        return bool(self.tree != self._in_use)

    async def validate_config(self, config: dict[str, Any]) -> tuple[bool, list[str]]:  # noqa: ARG002 — the name is the guide's
        return not self.errors, self.errors

    def taken(self, config: Mapping[str, Any]) -> None:
        self._in_use = config

    async def _obstacles(self) -> None:
        if self.failure is not None:
            raise self.failure
        if self.hangs:
            await asyncio.Event().wait()
        if self.gate is not None:
            self.gate.wait(30)
