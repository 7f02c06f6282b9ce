"""One YAML or JSON file as a source."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from confbus.errors import InvalidSettings, SourceFailed
from confbus.wire.frozen import Frozen
from confbus_publisher.layer import Layer
from confbus_publisher.origin import Origin
from confbus_publisher.sources.json import load_json
from confbus_publisher.sources.limits import FILE_BYTES
from confbus_publisher.sources.text import decode
from confbus_publisher.sources.yaml import load_yaml

if TYPE_CHECKING:
    from confbus.wire.path import Path as KeyPath

_LOADERS = {".yaml": load_yaml, ".yml": load_yaml, ".json": load_json}
SUFFIXES = tuple(_LOADERS)


class FileSource:
    """The file at `path`; its suffix, .yaml, .yml or .json, says how to read it.

    `path` is shown as it is given, and a relative one is bound to the directory in which the process is now. An
    `optional` file may be missing: the layer is empty then. Not for use by several threads at once.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, priority: int = 0, name: str = "", optional: bool = False
    ) -> None:
        self._shown = os.fspath(path)
        self._path = Path(path).absolute()
        self._optional = optional
        loader = _LOADERS.get(self._path.suffix.lower())
        if loader is None:
            raise InvalidSettings(
                self._shown, "its suffix does not say what it is", advice="Name it .yaml, .yml or .json."
            )
        self._loader = loader
        self.name = name or self._shown
        self.priority = priority
        self._digest = b""
        self._layer: Layer | None = None

    def __repr__(self) -> str:
        return f"FileSource({self._shown!r}, priority={self.priority})"

    @property
    def watched(self) -> tuple[Path, ...]:
        """The directory of the path, and that of the file which it leads to now: either may swap the content."""
        try:
            target = self._path.resolve()
        except (OSError, RuntimeError):  # A circle of links: loading says so.
            target = self._path
        return tuple(dict.fromkeys((self._path.parent, target.parent)))

    def load(self) -> Layer:
        """The file's layer, and the very same one while its bytes are the same.

        Raises `SourceFailed` with the line when the file is missing, unreadable, larger than 32 MiB, no UTF-8, or
        no document.
        """
        content = self._read()
        digest = b"missing" if content is None else hashlib.sha256(content).digest()
        if self._layer is None or digest != self._digest:
            self._layer, self._digest = self._parsed(content), digest
        return self._layer

    def _parsed(self, content: bytes | None) -> Layer:
        if content is None:
            return Layer(self.name, self.priority, Frozen(), {(): Origin(file=self._shown)}, "file")
        deletes: set[KeyPath] = set()
        try:
            text = decode(content, origin_name=self._shown)
            if self._loader is load_yaml:
                tree, origins = load_yaml(text, origin_name=self._shown, deletes=deletes)
            else:
                tree, origins = self._loader(text, origin_name=self._shown)
        except SourceFailed as failure:
            failure.source = self.name
            raise
        return Layer(self.name, self.priority, tree, origins, "file", frozenset(deletes))

    def _read(self) -> bytes | None:
        try:
            self._refuse_what_is_no_file()
            with self._path.open("rb") as file:
                content = file.read(FILE_BYTES + 1)
        except FileNotFoundError:
            if self._optional:
                return None
            advice = "Create it, or say `optional: true` of it."
            raise SourceFailed(self.name, self._shown, "no such file", advice=advice) from None
        except (OSError, ValueError) as failure:
            reason = getattr(failure, "strerror", None) or str(failure)
            advice = "Check the path and its permissions."
            raise SourceFailed(self.name, self._shown, f"unreadable: {reason}", advice=advice) from failure
        if len(content) > FILE_BYTES:
            reason = f"larger than {FILE_BYTES // 1024**2} MiB"
            raise SourceFailed(self.name, self._shown, reason, advice="Split it; a configuration is small.")
        return content

    def _refuse_what_is_no_file(self) -> None:
        """To open a pipe would wait for its writer."""
        mode = self._path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a directory" if stat.S_ISDIR(mode) else "no regular file"
            raise SourceFailed(self.name, self._shown, f"it is {what}", advice="Name a file.")
