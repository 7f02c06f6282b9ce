"""A directory in which each file is one value, as Docker and Kubernetes mount secrets."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confbus.errors import SourceFailed
from confbus.wire.frozen import freeze
from confbus_publisher.formats.limits import DEPTH, MOST_FILES, VALUE_BYTES, Unfit
from confbus_publisher.layer import Layer, deletions
from confbus_publisher.origin import Origin
from confbus_publisher.sources.content import read_content
from confbus_publisher.sources.mount import listing, root_of
from confbus_publisher.sources.value_file import value_text

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from confbus.wire import path as paths
    from confbus_publisher.sources.mount import Listing

_ATTEMPTS = 3


class ValueFilesSource:
    """Each file in `directory` that is `takes`n: its name is the key, and its text, without one line break at the end,
    the value, always a string. With `nests`, `__` in a name separates levels.

    Directories in it, and what is hidden, are left out. Links are followed within it, and out of it only with
    `follow_links`. Not for use by several threads at once.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        priority: int = 0,
        name: str = "",
        optional: bool = False,
        interpolate: bool = False,
        delete: Iterable[str] = (),
        follow_links: bool = False,
        kind: str = "secrets",
        nests: bool = False,
        takes: Callable[[str], bool] = bool,
    ) -> None:
        self._shown = Path(directory)
        self._directory = Path(directory).absolute()
        self.name = name or str(self._shown)
        self.priority = priority
        self._is_optional = optional
        self._interpolates = interpolate
        self._deletes = deletions(delete)
        self._follows_links = follow_links
        self._kind = kind
        self._nests = nests
        self._takes = takes
        self._digest = b""
        self._layer: Layer | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._shown)!r}, priority={self.priority})"

    @property
    def watched(self) -> tuple[Path, ...]:
        """The directory, and the one that is swapped behind it."""
        return tuple(dict.fromkeys((self._directory, root_of(self._directory) or self._directory)))

    def load(self) -> Layer:
        """The values of one state of the directory, and the very same layer while they are the same.

        Raises `SourceFailed` naming the file when one is unreadable, no regular file, larger than 1 MiB or no UTF-8,
        and when no file is there though the source is not `optional`.
        """
        texts = self._texts()
        digest = _digest(texts)
        if self._layer is None or digest != self._digest:
            self._layer, self._digest = self._built(texts), digest
        return self._layer

    def _texts(self) -> dict[str, str]:
        """The text of each file by its name. A volume that was swapped meanwhile is read again."""
        for _ in range(_ATTEMPTS):
            seen = self._listing()
            texts = self._read(seen) if seen else {}
            if seen is None or root_of(self._directory) == seen.root:
                break
        else:
            raise self._refused("", Unfit("it changes all the time", "See who writes to it."))
        if not texts and not self._is_optional:
            raise self._refused("", Unfit("no file is there", "Put one there, or say `optional: true` of it."))
        return texts

    def _listing(self) -> Listing | None:
        try:
            return listing(self._directory)
        except Unfit as unfit:
            raise self._refused("", unfit) from unfit.__cause__

    def _read(self, seen: Listing) -> dict[str, str]:
        names = [name for name in seen.names if self._takes(name) and not (seen.root / name).is_dir()]
        if len(names) > MOST_FILES:
            raise self._refused("", Unfit(f"more than {MOST_FILES:,} files are there", "Split it."))
        within = None if self._follows_links else seen.directory
        texts: dict[str, str] = {}
        for name in names:
            try:
                content = read_content(seen.root / name, within=within, most_bytes=VALUE_BYTES)
                if content is not None:
                    texts[name] = value_text(content)
            except Unfit as unfit:
                raise self._refused(name, unfit) from unfit.__cause__
        return texts

    def _built(self, texts: Mapping[str, str]) -> Layer:
        tree: dict[str, Any] = {}
        origins: dict[paths.Path, Origin] = {(): Origin(file=str(self._shown))}
        named = {self._path(name): name for name in texts}
        for path, name in sorted(named.items(), key=lambda item: len(item[0])):
            origin = Origin(file=str(self._shown / name))
            inner = tree
            for depth, key in enumerate(path[:-1], start=1):
                if path[:depth] in named:
                    raise self._clash(name, origins[path[:depth]])
                origins.setdefault(path[:depth], origin)
                inner = inner.setdefault(str(key), {})
            inner[str(path[-1])] = texts[name]
            origins[path] = origin
        return Layer(self.name, self.priority, freeze(tree), origins, self._kind, self._deletes, self._interpolates)

    def _path(self, name: str) -> paths.Path:
        keys = name.split("__") if self._nests else [name]
        if not all(keys) or len(keys) > DEPTH:
            reason = "a key in its name is empty" if len(keys) <= DEPTH else "its name has too many levels"
            raise self._refused(name, Unfit(reason, "Name it SECTION__KEY."))
        return tuple(keys)

    def _clash(self, name: str, other: Origin) -> SourceFailed:
        reason = f"it stands for a value inside of {other}, which is a value itself"
        return self._refused(name, Unfit(reason, "Remove one of them."))

    def _refused(self, name: str, unfit: Unfit) -> SourceFailed:
        shown = str(self._shown / name if name else self._shown)
        return SourceFailed(self.name, shown, unfit.reason, advice=unfit.advice)


def _digest(texts: Mapping[str, str]) -> bytes:
    digest = hashlib.sha256()
    for name, text in texts.items():
        for part in (name, text):
            digest.update(f"{len(part)}:".encode() + part.encode("utf-8", "surrogateescape"))
    return digest.digest()
