"""The sources that a container's environment names, for a manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.manager.joined import JoinedSource
from confbus_publisher.manager.native import NativeConfigSource
from confbus_publisher.settings import build_sources
from confbus_publisher.sources.source import SourceGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus_publisher.settings import Settings
    from confbus_publisher.sources.config_source import ConfigSource


def sources_of(environ: Mapping[str, str]) -> tuple[list[ConfigSource], Settings]:
    """The sources, and the settings that they are of. Raises `InvalidSettings` naming the variable."""
    from confbus_publisher.environment_settings import environment_settings

    settings = environment_settings(environ)
    found = [JoinedSource(source) if isinstance(source, SourceGroup) else source for source in build_sources(settings)]
    return [NativeConfigSource(source) for source in found], settings
