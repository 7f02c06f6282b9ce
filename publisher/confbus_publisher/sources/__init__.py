"""Where values come from. Each source gives a layer: a frozen tree, and the origin of everything in it."""

from confbus_publisher.sources.dict import DictSource
from confbus_publisher.sources.directory import DirectorySource
from confbus_publisher.sources.env import EnvSource
from confbus_publisher.sources.file import FileSource
from confbus_publisher.sources.glob import GlobSource
from confbus_publisher.sources.secrets import SecretsSource
from confbus_publisher.sources.source import AnySource, Source, SourceGroup

__all__ = [
    "AnySource",
    "DictSource",
    "DirectorySource",
    "EnvSource",
    "FileSource",
    "GlobSource",
    "SecretsSource",
    "Source",
    "SourceGroup",
]
