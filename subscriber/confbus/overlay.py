"""An overlay: values of this instance's own, over every release that it reads.

Only what it touches becomes new objects; all else stays what it is in the release. And while neither changes, it gives
the same objects again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from confbus.errors import InvalidPath, InvalidSettings
from confbus.wire import codec
from confbus.wire import path as paths
from confbus.wire.diff import same
from confbus.wire.frozen import Frozen, freeze, is_mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from confbus.wire.snapshot import Snapshot

_ABSENT = object()


class Setting(NamedTuple):
    """One value, where it goes, and what people call the place that it comes from."""

    path: paths.Path
    value: Any
    origin: str


class Layer(Protocol):
    """Something that has settings for a document."""

    def settings(self, document: Mapping[str, Any]) -> Iterable[Setting]:
        """Raises `InvalidSettings` for what has no place in `document`."""
        ...


class Overlay:
    """Layers of settings, of which the later ones win; `|` joins overlays and mappings. Give it to one subscriber."""

    def __init__(self, *layers: Layer) -> None:
        self._layers = layers
        self._last: dict[str | int, _Done] = {}

    def __or__(self, other: Overlay | Mapping[Any, Any]) -> Overlay:
        return Overlay(*self._layers, *overlay_of(other)._layers)

    def __ror__(self, other: Mapping[Any, Any]) -> Overlay:
        return Overlay(*overlay_of(other)._layers, *self._layers)

    def over(self, snapshot: Snapshot) -> Snapshot:
        """`snapshot` with the settings put in. Its digest stays that of the release, and `overlaid` names the paths.

        Raises `InvalidSettings` for a setting that has no place in it.
        """
        document: dict[Any, Any] = dict(snapshot)  # the keys of a snapshot are paths; here they must be keys
        settings: dict[str | int, list[Setting]] = {}
        for layer in self._layers:
            for setting in layer.settings(document):
                settings.setdefault(setting.path[0], []).append(setting)
        for key, own in settings.items():
            document[key] = self._put_in(key, document.get(key, _ABSENT), own)
        if len(document) > len(snapshot):
            document = {key: document[key] for key in sorted(document)}
        touched = sorted({paths.render(setting.path) for own in settings.values() for setting in own})
        return snapshot.overlaid_by(Frozen(document), tuple(touched))

    def __repr__(self) -> str:
        return f"Overlay({', '.join(map(repr, self._layers))})"

    def _put_in(self, key: str | int, below: Any, settings: list[Setting]) -> Any:
        last = self._last.get(key)
        if last is not None and last.below is below and _are_alike(last.settings, settings):
            return last.value
        value = below
        for setting in settings:
            value = _put(value, setting, 1)
        self._last[key] = _Done(below, settings, value)
        return value


class Own:
    """The settings of a mapping, by paths (`"database.host"`) or nested.

    Raises `InvalidPath`, `InvalidDocument` for what no configuration may hold, `InvalidSettings` for items of lists.
    """

    def __init__(self, given: Mapping[Any, Any]) -> None:
        leaves = (leaf for key, value in given.items() for leaf in _leaves(_path(key), value))
        self._settings = [Setting(path, value, "the overlay") for path, value in leaves]

    def settings(self, document: Mapping[str, Any]) -> Iterable[Setting]:  # noqa: ARG002 — they go where they say
        return self._settings

    def __repr__(self) -> str:
        return "{" + ", ".join(paths.render(setting.path) for setting in self._settings) + "}"


def overlay_of(given: Overlay | Mapping[Any, Any]) -> Overlay:
    """`given`, as an overlay."""
    return given if isinstance(given, Overlay) else Overlay(Own(given))


class _Done(NamedTuple):
    """What was put over what, and what came of it."""

    below: Any
    settings: list[Setting]
    value: Any


def _are_alike(one: list[Setting], other: list[Setting]) -> bool:
    return len(one) == len(other) and all(
        mine.path == theirs.path and same(mine.value, theirs.value) for mine, theirs in zip(one, other, strict=True)
    )


def _put(below: Any, setting: Setting, depth: int) -> Any:
    """`below`, which is at the first `depth` keys of the setting's path, with its value put in: new mappings along
    the path, and the same objects beside it."""
    path = setting.path
    if depth == len(path):
        if below is not _ABSENT and is_mapping(below) != is_mapping(setting.value):
            raise _misfit(setting, path, below)
        return below if is_mapping(below) else setting.value
    if below is not _ABSENT and not is_mapping(below):
        raise _misfit(setting, path[:depth], below)
    inner: dict[Any, Any] = dict(below) if is_mapping(below) else {}
    inner[path[depth]] = _put(inner.get(path[depth], _ABSENT), setting, depth + 1)
    return Frozen(inner)


def _misfit(setting: Setting, path: paths.Path, below: Any) -> InvalidSettings:
    is_, needed = ("a mapping", "a single value") if is_mapping(below) else ("no mapping", "a mapping")
    return InvalidSettings(
        setting.origin,
        f"it sets {paths.render(setting.path)}, but {paths.render(path)} is {is_} in the release, and {needed} here",
        advice="Change the overlay of this instance, or its release.",
    )


def _path(key: Any) -> paths.Path:
    path = paths.parse(key) if isinstance(key, str) else tuple(key)
    if not path:
        raise InvalidPath("", 1, "a key is missing")
    if not all(isinstance(part, str) for part in path):
        raise InvalidSettings(
            "the overlay", f"{paths.render(path)} is an item of a list", advice="An overlay sets whole lists."
        )
    return path


def _leaves(path: paths.Path, value: Any) -> Iterator[tuple[paths.Path, Any]]:
    """What `value` sets at `path` and below: a mapping goes into the one that is there. In it, keys are keys."""
    codec.encode(value, at=path)
    leaves = paths.leaves(value, path) if is_mapping(value) and value else [(path, value)]
    for place, leaf in leaves:
        yield place, freeze(leaf)
