"""The publisher: sources, versions, and the manager that keeps both in step.

from confbus_publisher import FileConfigSource, initialize_config_manager
manager = await initialize_config_manager([FileConfigSource("config/app.yaml")])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confbus.wire.diff import Change as ConfigChange
    from confbus.wire.diff import ChangeType
    from confbus_publisher.manager.builtin import EnvironmentConfigSource, FileConfigSource
    from confbus_publisher.manager.current import (
        get_config,
        get_config_manager,
        get_config_section,
        initialize_config_manager,
    )
    from confbus_publisher.manager.health import config_health
    from confbus_publisher.manager.manager import ConfigManager
    from confbus_publisher.manager.metrics import ConfigMetrics
    from confbus_publisher.manager.remote import RemoteConfigSource
    from confbus_publisher.manager.result import ReloadResult, ReloadStatus
    from confbus_publisher.manager.version import ConfigVersion
    from confbus_publisher.sources.config_source import ConfigSource
    from confbus_publisher.sources.function import function_source

__all__ = [
    "ChangeType",
    "ConfigChange",
    "ConfigManager",
    "ConfigMetrics",
    "ConfigSource",
    "ConfigVersion",
    "EnvironmentConfigSource",
    "FileConfigSource",
    "ReloadResult",
    "ReloadStatus",
    "RemoteConfigSource",
    "config_health",
    "function_source",
    "get_config",
    "get_config_manager",
    "get_config_section",
    "initialize_config_manager",
]

_HOMES = {
    "ChangeType": ("confbus.wire.diff", "ChangeType"),
    "ConfigChange": ("confbus.wire.diff", "Change"),
    "ConfigManager": ("confbus_publisher.manager.manager", "ConfigManager"),
    "ConfigMetrics": ("confbus_publisher.manager.metrics", "ConfigMetrics"),
    "ConfigSource": ("confbus_publisher.sources.config_source", "ConfigSource"),
    "ConfigVersion": ("confbus_publisher.manager.version", "ConfigVersion"),
    "EnvironmentConfigSource": ("confbus_publisher.manager.builtin", "EnvironmentConfigSource"),
    "FileConfigSource": ("confbus_publisher.manager.builtin", "FileConfigSource"),
    "ReloadResult": ("confbus_publisher.manager.result", "ReloadResult"),
    "ReloadStatus": ("confbus_publisher.manager.result", "ReloadStatus"),
    "RemoteConfigSource": ("confbus_publisher.manager.remote", "RemoteConfigSource"),
    "config_health": ("confbus_publisher.manager.health", "config_health"),
    "function_source": ("confbus_publisher.sources.function", "function_source"),
    "get_config": ("confbus_publisher.manager.current", "get_config"),
    "get_config_manager": ("confbus_publisher.manager.current", "get_config_manager"),
    "get_config_section": ("confbus_publisher.manager.current", "get_config_section"),
    "initialize_config_manager": ("confbus_publisher.manager.current", "initialize_config_manager"),
}


def __getattr__(name: str) -> Any:
    """Names are imported when first used: a command line that needs none of them starts without."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'confbus_publisher' has no attribute {name!r}")
    import importlib

    from confbus.errors import InvalidSettings

    module, attribute = home
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0].startswith("confbus"):
            raise
        reason = f"the package {error.name} is not installed here"
        raise InvalidSettings(f"confbus_publisher.{name}", reason, advice="pip install 'confbus[publisher]'") from error
