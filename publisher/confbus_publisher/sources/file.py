"""One file as a source."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from confbus.errors import InvalidSettings, SourceFailed
from confbus.wire.frozen import Frozen
from confbus_publisher.formats.format import FORMATS, SUFFIXES, format_of, load
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.formats.text import decode
from confbus_publisher.layer import Layer, deletions
from confbus_publisher.origin import Origin
from confbus_publisher.sources.content import read_content

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from confbus.wire import path as paths


class FileSource:
    """The file at `path`: YAML, JSON, TOML or dotenv by its suffix, or as `format_name` says.

    `path` is shown as it is given, and a relative one is bound to the directory in which the process is now. An
    `optional` file may be missing: the layer is empty then. `delete` are paths that it takes out of the layers below.
    `kind` is what made the source. Raises `InvalidSettings` for an unknown format, `InvalidPath` for what is no path.
    Not for use by several threads at once.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        priority: int = 0,
        name: str = "",
        optional: bool = False,
        format_name: str = "",
        interpolate: bool = True,
        delete: Iterable[str] = (),
        kind: str = "file",
    ) -> None:
        self._shown = os.fspath(path)
        self._path = Path(path).absolute()
        self._within: Path | None = None
        self._optional = optional
        self._format = format_name or format_of(self._path.name)
        if self._format not in FORMATS:
            reason = "its suffix does not say what it is" if not format_name else f"there is no format {format_name}"
            advice = f"Name it {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, or give one of {', '.join(FORMATS)}."
            raise InvalidSettings(self._shown, reason, advice=advice)
        self.name = name or self._shown
        self.priority = priority
        self._interpolates = interpolate
        self._deletes = deletions(delete)
        self._kind = kind
        self._digest = b""
        self._layer: Layer | None = None
        self._refused: tuple[bytes, SourceFailed] | None = None

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

    def move(self, path: Path, *, within: Path | None) -> None:
        """Read from `path` from now on, without following links out of `within`; it is shown as before.

        For directories that are swapped behind one name.
        """
        self._path, self._within = path, within

    def load(self) -> Layer:
        """The file's layer, and the very same one while its bytes are the same.

        Raises `SourceFailed` with the line when the file is missing, unreadable, larger than 32 MiB, no UTF-8, or
        no document; also when it held something and is empty now, as files are that somebody begins to write.
        """
        content = self._read()
        digest = b"missing" if content is None else hashlib.sha256(content).digest()
        if self._layer is None or digest != self._digest:
            self._layer, self._digest = self._parsed(content, digest), digest
        return self._layer

    def _read(self) -> bytes | None:
        try:
            content = read_content(self._path, within=self._within)
        except Unfit as unfit:
            raise SourceFailed(self.name, self._shown, unfit.reason, advice=unfit.advice) from unfit.__cause__
        if content is None and not self._optional:
            advice = "Create it, or say `optional: true` of it."
            raise SourceFailed(self.name, self._shown, "no such file", advice=advice)
        if content is not None and not content.strip() and self._layer is not None and self._layer.tree:
            advice = "Finish writing it; {} or a comment says that nothing is meant."
            raise SourceFailed(self.name, self._shown, "it is empty, and was not before", advice=advice)
        return content

    def _parsed(self, content: bytes | None, digest: bytes) -> Layer:
        """What was refused once is refused again, without another look."""
        if content is None:
            return self._layered(Frozen(), {(): Origin(file=self._shown)})
        if self._refused and self._refused[0] == digest:
            raise self._refused[1].with_traceback(None)
        try:
            text = decode(content, origin_name=self._shown)
            deletes: set[paths.Path] = set()
            tree, origins = load(text, format_name=self._format, origin_name=self._shown, deletes=deletes)
            return self._layered(tree, origins, deletes)
        except SourceFailed as failure:
            failure.source = self.name
            self._refused = digest, failure
            raise

    def _layered(
        self, tree: Frozen, origins: Mapping[paths.Path, Origin], deletes: Collection[paths.Path] = ()
    ) -> Layer:
        gone = self._deletes.union(deletes)
        return Layer(self.name, self.priority, tree, origins, self._kind, gone, self._interpolates)
