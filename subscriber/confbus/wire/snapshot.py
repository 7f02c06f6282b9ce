"""The immutable copy of one release that a worker reads.

A snapshot *is* the document (a `Frozen` mapping), with one difference: its keys are paths. `snapshot["a.b"]` costs one
C call and one probe of a dict of the paths already read; the first read of a path walks the document.
"""

from __future__ import annotations

from confbus.errors import InvalidPath, SealedError, UnknownPath
from confbus.wire import path as paths
from confbus.wire.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    from confbus.wire.frozen import Reference

MAX_HITS = 4096
_ABSENT = object()
_NONE: Mapping[paths.Path, str] = {}
_NO_REFERENCES: Mapping[paths.Path, Reference] = {}


class Hits(dict["Any", "Any"]):
    """Paths already read, with their values. Only hits are kept, and at most 4,096: strangers' paths cost no memory."""

    __slots__ = ("locked", "tree", "version")

    locked: Mapping[paths.Path, str]
    tree: Mapping[str, Any]
    version: int

    def __missing__(self, path: str | paths.Path) -> Any:
        try:
            return self.find(path)
        except KeyError:
            parsed = _parsed(path)
            nearest = paths.nearest(self.tree, parsed)
            raise UnknownPath(paths.render(parsed), nearest=nearest, version=self.version) from None

    def find(self, path: str | paths.Path) -> Any:
        """Walk to `path` and remember it. Raises a bare `KeyError`, without the cost of looking for the nearest, and
        `SealedError` for what is in a locked section."""
        try:
            value = paths.lookup(self.tree, _parsed(path))
        except KeyError:
            if self.locked:
                _refuse_locked(_parsed(path), self.locked)
            raise
        if len(self) < MAX_HITS:
            self[path] = value
        return value


class Snapshot(Frozen):
    """One release, in memory, for ever the same. Safe to share between threads; reads take no lock.

    Equal to the plain document; JSON, pickle and copy work. `overlaid` are the paths at which this instance reads
    values of its own; `digest` is that of the release, and `at_ms` when it was published, in Unix time. `locked` are
    the places of sealed sections without a key, with its id: whoever walks over the document does not meet them, and
    reading there raises `SealedError`. `references` are the paths at which a secret reference was published.
    """

    __slots__ = (
        "_hits",
        "_read",
        "at_ms",
        "digest",
        "epoch",
        "locked",
        "overlaid",
        "references",
        "revision",
        "version",
    )

    version: int
    revision: int
    epoch: str
    digest: str
    locked: Mapping[paths.Path, str]
    overlaid: tuple[str, ...]
    references: Mapping[paths.Path, Reference]
    at_ms: int
    _hits: Hits
    _read: Callable[[Any], Any]

    def __init__(
        self,
        document: Mapping[str, Any],
        *,
        version: int,
        revision: int,
        epoch: str,
        digest: str,
        at_ms: int,
        overlaid: tuple[str, ...] = (),
        locked: Mapping[paths.Path, str] = _NONE,
        references: Mapping[paths.Path, Reference] = _NO_REFERENCES,
    ) -> None:
        super().__init__(document)
        hits = Hits()
        hits.locked = locked
        hits.tree = document
        hits.version = version
        for name, value in (
            ("version", version),
            ("revision", revision),
            ("epoch", epoch),
            ("digest", digest),
            ("locked", locked),
            ("overlaid", overlaid),
            ("references", references),
            ("at_ms", at_ms),
            ("_hits", hits),
            ("_read", hits.__getitem__),
        ):
            object.__setattr__(self, name, value)

    @property
    def published_at(self) -> datetime:
        """When it was published, by the server's clock."""
        from datetime import UTC, datetime  # whoever waits for a new value does not wait for this

        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    if TYPE_CHECKING:

        def __getitem__(self, path: str | paths.Path) -> Any: ...

    def get(self, path: str | paths.Path, default: Any = None) -> Any:
        """The value at `path`; `default` only where there is none (a null is None). Never raises for absence."""
        value = self._hits.get(path, _ABSENT)
        if value is not _ABSENT:
            return value
        try:
            return self._hits.find(path)
        except KeyError:
            return default

    def section(self, path: str | paths.Path) -> Frozen:
        """The mapping at `path`. Raises `UnknownPath`, and `TypeError` when a value that is no mapping is there."""
        value = self._hits[path]
        if not isinstance(value, Frozen):
            raise TypeError(f"{path!r} is no section: a {type(value).__name__} is there.")
        return value

    def overlaid_by(self, document: Mapping[str, Any], paths: tuple[str, ...]) -> Snapshot:
        """The same release with `document` to read, which has other values at `paths`."""
        release = (self.version, self.revision, self.epoch, self.digest, self.at_ms)
        return _restored(document, *release, paths, self.locked, self.references)

    def filled(self, document: Mapping[str, Any], references: Mapping[paths.Path, Reference]) -> Snapshot:
        """The same release with `document` to read, which has secrets in place of `references`."""
        release = (self.version, self.revision, self.epoch, self.digest, self.at_ms)
        return _restored(document, *release, self.overlaid, self.locked, references)

    def fast_reads(self) -> tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]:
        """The C methods behind `get` and `[]`, for a reader that swaps snapshots."""
        return self._hits.get, self._read

    def __contains__(self, path: object) -> bool:
        try:
            if path not in self._hits:
                self._hits.find(path)  # type: ignore[arg-type]  # `in` takes anything; what is no path is not in here
        except (KeyError, InvalidPath, TypeError):
            return False
        return True

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A snapshot cannot be changed: {name!r}.")

    def __reduce__(self) -> Any:
        release = (self.version, self.revision, self.epoch, self.digest, self.at_ms)
        return (_restored, (dict(self), *release, self.overlaid, self.locked, self.references))

    def __repr__(self) -> str:
        return f"Snapshot(version={self.version}, digest={self.digest[:12]!r}, {len(self)} keys)"


# A slot's own descriptor as `__getitem__`: `snapshot[path]` calls the bound method in the slot without a Python frame.
Snapshot.__getitem__ = Snapshot.__dict__["_read"]  # type: ignore[method-assign]  # see above


def _parsed(path: str | paths.Path) -> paths.Path:
    return paths.parse(path) if isinstance(path, str) else tuple(path)


def _restored(
    document: Mapping[str, Any],
    version: int,
    revision: int,
    epoch: str,
    digest: str,
    at_ms: int,
    overlaid: tuple[str, ...] = (),
    locked: Mapping[paths.Path, str] = _NONE,
    references: Mapping[paths.Path, Reference] = _NO_REFERENCES,
) -> Snapshot:
    return Snapshot(
        document,
        version=version,
        revision=revision,
        epoch=epoch,
        digest=digest,
        at_ms=at_ms,
        overlaid=overlaid,
        locked=locked,
        references=references,
    )


def _refuse_locked(path: paths.Path, locked: Mapping[paths.Path, str]) -> None:
    place = next((place for place in (path[:1], path[:2]) if place in locked), None)
    if place is not None:
        raise SealedError(paths.render(place), locked[place])
