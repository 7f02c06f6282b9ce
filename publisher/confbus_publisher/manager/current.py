"""The one manager of a process, for code that nobody hands a manager to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from confbus.errors import NotStarted
from confbus_publisher.manager.manager import ConfigManager

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confbus.wire.frozen import Frozen
    from confbus_publisher.sources.config_source import ConfigSource


_lock = threading.Lock()
_managers: list[ConfigManager] = []  # The one that was initialized last, if any.


async def initialize_config_manager(
    sources: Iterable[ConfigSource],
    watch_files: bool = True,  # noqa: FBT001, FBT002 — the guide's signature
    **options: Any,
) -> ConfigManager:
    """A started manager of `sources`, which `get_config` and the others here read from then on.

    `options` are those of `ConfigManager`. A manager that was initialized before is stopped, once the new one runs.
    Raises as `add_source` and `start` do; then the one before stays.
    """
    manager = ConfigManager(watch_files=watch_files, **options)
    try:
        for source in sources:
            await manager.add_source(source)
        await manager.start()
    except BaseException:
        await manager.stop()
        raise
    with _lock:
        before, _managers[:] = tuple(_managers), [manager]
    for each in before:
        await each.stop()
    return manager


def get_config_manager() -> ConfigManager | None:
    """The manager that was initialized last, or None."""
    return next(iter(_managers), None)


async def get_config(path: str | None = None, default: Any = None) -> Any:
    """As `ConfigManager.get_config`. Raises `NotStarted` when no manager was initialized."""
    return await _manager().get_config(path, default)


async def get_config_section(section: str) -> Frozen:
    """As `ConfigManager.get_section`. Raises `NotStarted` when no manager was initialized."""
    return await _manager().get_section(section)


def _manager() -> ConfigManager:
    manager = get_config_manager()
    if manager is None:
        advice = "Await initialize_config_manager([…]) first."
        raise NotStarted("No configuration manager was initialized", advice=advice)
    return manager
