"""Where the values of a merge were written, as the blobs that go out with a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.wire import codec
from confbus.wire.origins import Origins, Place
from confbus.wire.path import leaves, pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from confbus.wire.path import Path
    from confbus_publisher.layer import Layer
    from confbus_publisher.merge import Merged
    from confbus_publisher.origin import Origin

_MOST_POINTERS = 100_000
_MOST_PRIORITY = 2**63 - 1


class Provenance:
    """Encodes the origins of each layer once, for as long as it is the same layer. Of what is below a key of `sealed`
    there is one place, without the names in it."""

    def __init__(self, sealed: Collection[str] = ()) -> None:
        self._sealed = frozenset(sealed)
        self._known: dict[str, tuple[Layer, frozenset[Path], str, bytes]] = {}
        self._pointers: dict[Path, str] = {}

    def blobs(self, merged: Merged) -> dict[str, bytes]:
        """The blobs by digest, that of the lowest layer first."""
        if len(self._pointers) > _MOST_POINTERS:
            self._pointers.clear()
        known: dict[str, tuple[Layer, frozenset[Path], str, bytes]] = {}
        for layer in _speaking(merged):
            joined = _joined(merged, layer)
            last = self._known.get(layer.source)
            if last is None or last[0] is not layer or last[1] != joined:
                blob = _origins(layer, joined, self._pointer, sealed=self._sealed).encode()
                last = (layer, joined, codec.digest(blob), blob)
            known[layer.source] = last
        self._known = known
        return {digest: blob for _, _, digest, blob in known.values()}

    def _pointer(self, path: Path) -> str:
        """Paths are the same after an edit, but for a few."""
        text = self._pointers.get(path)
        if text is None:
            text = self._pointers[path] = pointer(path)
        return text


def origins_of(merged: Merged) -> list[Origins]:
    """The origins of each layer, that of the lowest first."""
    return [_origins(layer, _joined(merged, layer), pointer) for layer in _speaking(merged)]


def _speaking(merged: Merged) -> list[Layer]:
    """The layers that say anything."""
    return [layer for layer in merged.layers if layer.tree or layer.deletes]


def _joined(merged: Merged, layer: Layer) -> frozenset[Path]:
    return frozenset(path for source, path in merged.joined if source == layer.source)


def _origins(
    layer: Layer, joined: Iterable[Path], name: Callable[[Path], str], *, sealed: frozenset[str] = frozenset()
) -> Origins:
    origins, file = layer.origins, layer.place(()).file
    hidden = [(key,) for key in layer.tree if key in sealed]
    stands = [*hidden, *(path for path, _ in leaves(layer.tree) if sealed.isdisjoint(path[:1]))]
    return Origins(
        source=layer.source,
        priority=max(-_MOST_PRIORITY, min(layer.priority, _MOST_PRIORITY)),  # overrides are above all numbers
        kind=layer.kind,
        places={name(path): _place(origins.get(path) or layer.place(path), file) for path in stands},
        file=file,
        deletes=frozenset(pointer(path) for path in layer.deletes if not _is_within(path, sealed)),
        joined=frozenset(pointer(path) for path in joined if not _is_within(path, sealed)),
        sealed=frozenset(map(pointer, hidden)),
    )


def _is_within(path: Path, sealed: frozenset[str]) -> bool:
    return len(path) > 1 and path[0] in sealed


def _place(origin: Origin, file: str) -> Place:
    if file and origin.file == file and origin.line and not origin.variable:
        return origin.line, origin.column
    return str(origin)
