"""`FileConfigSource`, `EnvironmentConfigSource` and `RemoteConfigSource` as the guide names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.manager.native import NativeConfigSource
from confbus_publisher.sources.env import EnvSource
from confbus_publisher.sources.file import FileSource

if TYPE_CHECKING:
    import os


class FileConfigSource(NativeConfigSource):
    """The file at `path`; its suffix says how it is read. An `optional` one may be missing: then it says nothing.

    Raises `InvalidSettings` for a suffix that says nothing.
    """

    kind = "file"

    def __init__(
        self, path: str | os.PathLike[str], priority: int = 10, name: str = "", *, optional: bool = False
    ) -> None:
        super().__init__(FileSource(path, priority=priority, name=name, optional=optional))


class EnvironmentConfigSource(NativeConfigSource):
    """Every variable of the process that begins with `prefix`. Raises `InvalidSettings` for an empty prefix."""

    kind = "env"

    def __init__(self, prefix: str = "APP_", priority: int = 5, name: str = "") -> None:
        super().__init__(EnvSource(prefix, priority=priority, name=name))
