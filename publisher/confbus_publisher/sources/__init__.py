"""Where values come from. Each source gives a layer: a frozen tree, and the origin of everything in it."""

from confbus_publisher.sources.dict import DictSource
from confbus_publisher.sources.env import EnvSource
from confbus_publisher.sources.file import FileSource
from confbus_publisher.sources.source import Source

__all__ = ["DictSource", "EnvSource", "FileSource", "Source"]
