"""A configuration manager in a test."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from confbus_publisher import ConfigManager

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from confbus_publisher import ConfigSource, ReloadResult

QUIET_S = 3600.0
"""An interval at which nothing happens by itself while a test runs."""


@asynccontextmanager
async def managed(*sources: ConfigSource, **options: Any) -> AsyncGenerator[ConfigManager]:
    """A started manager that does nothing by itself, unless `options` say otherwise."""
    terms: dict[str, Any] = {"watch_files": False, "check_interval_s": QUIET_S, **options}
    manager = ConfigManager(**terms)
    try:
        for source in sources:
            await manager.add_source(source)
        await manager.start()
        yield manager
    finally:
        await manager.stop()


async def until(check: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Let the loop run until `check` is true."""
    deadline = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.002)


def threads() -> set[str]:
    """The names of the threads of managers and sources that run now."""
    ours = ("confbus-manager", "confbus-watch", "confbus-callbacks", "confbus-errand")
    return {thread.name for thread in threading.enumerate() if thread.name.startswith(ours)}


def told(result: ReloadResult) -> tuple[str, list[str]]:
    """The status of a result and the paths that changed."""
    return result.status.value, [change.path for change in result.changes]
