"""What is read while a test overrides values: these first, and beneath them what is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from confbus.errors import InvalidPath, UnknownPath
from confbus.wire import path as paths
from confbus.wire.frozen import Frozen, freeze, is_mapping, thaw
from confbus.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus.subscriber import Subscriber
    from confbus.wire.path import Path

_ABSENT = object()


class Overridden:
    """Reads as those of a subscriber. What lies beneath is asked for only when a read needs it, so a test that
    overrides all that is read needs no Redis."""

    def __init__(self, values: Mapping[str, Any], beneath: Callable[[], Overridden | Subscriber]) -> None:
        self._values: dict[Path, Any] = {paths.parse(path): freeze(value) for path, value in values.items()}
        self._beneath = beneath

    @property
    def snapshot(self) -> Snapshot:
        """The release beneath, with the values put in."""
        release = self._beneath().snapshot
        document: dict[str, Any] = thaw(release)
        for path, value in self._values.items():
            _put(document, path, value)
        return Snapshot(
            cast("Frozen", freeze(document)),
            version=release.version,
            revision=release.revision,
            epoch=release.epoch,
            digest=release.digest,
            at_ms=int(release.published_at.timestamp() * 1000),
        )

    def get(self, path: str | Path, default: Any = None) -> Any:
        parts = paths.parse(path) if isinstance(path, str) else tuple(path)
        for given, value in self._values.items():
            if parts[: len(given)] == given:
                try:
                    return paths.lookup(value, parts[len(given) :])
                except KeyError:
                    return default
        is_above = any(given[: len(parts)] == parts for given in self._values)
        here: Snapshot | Overridden | Subscriber = self.snapshot if is_above else self._beneath()
        return here.get(parts, default)

    def __getitem__(self, path: str | Path) -> Any:
        value = self.get(path, _ABSENT)
        if value is _ABSENT:
            raise UnknownPath(path if isinstance(path, str) else paths.render(tuple(path)))
        return value

    def section(self, path: str | Path) -> Frozen:
        value = self[path]
        if not isinstance(value, Frozen):
            raise TypeError(f"{path!r} is no section: a {type(value).__name__} is there.")
        return value

    def __contains__(self, path: object) -> bool:
        try:
            return self.get(cast("str", path), _ABSENT) is not _ABSENT
        except (InvalidPath, TypeError):
            return False


def _put(document: dict[str, Any], path: Path, value: Any) -> None:
    """Set what is at `path`; what is on the way there and no mapping becomes one."""
    here: Any = document
    for part in path[:-1]:
        if not is_mapping(here.get(part)):
            here[part] = {}
        here = here[part]
    here[path[-1]] = value
