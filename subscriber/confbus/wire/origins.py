"""Where the values of a release were written: one blob for each layer of the merge, fetched only to explain a value.

Places are texts for people (`config/app.yaml:14:3`, `$APP_DEBUG`, a URL); no value is ever in here.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confbus.errors import Malformed
from confbus.wire import codec
from confbus.wire.frozen import is_list, is_mapping
from confbus.wire.path import pointer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confbus.wire.path import Path

Place = str | tuple[int, int]
"""A text for people, or a line and a column."""

WINS, JOINED, LOSES, DELETES = "wins", "joined", "loses", "deletes"
_WHAT = "the origins of a layer"
_MAX_BYTES = 64 * 1024 * 1024
_MAX_LISTS = 1024 * 1024
"""One for each value with a line, and a document has a million at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """One layer: its source, and by JSON Pointer where each of its leaves stands: as a text, or by line and column in
    `file`. `deletes` are pointers to what it takes out of the layers below it, `joined` to lists that it lengthens.

    What is below a pointer of `sealed` has one place, at that pointer: the names in there are for nobody without the
    key.
    """

    source: str
    priority: int
    kind: str
    places: Mapping[str, Place]
    file: str = ""
    deletes: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    sealed: frozenset[str] = frozenset()

    def place(self, at: str) -> str | None:
        """Where the leaf at this pointer stands, if the layer has it."""
        place = self.places.get(at)
        return place if place is None or isinstance(place, str) else f"{self.file}:{place[0]}:{place[1]}"

    def encode(self) -> bytes:
        """The layer in bytes; the same leaves in the same order give the same bytes."""
        facts = {
            "source": self.source,
            "priority": self.priority,
            "kind": self.kind,
            "file": self.file,
            "places": self.places,
            "deletes": sorted(self.deletes),
            "joined": sorted(self.joined),
            **({"sealed": sorted(self.sealed)} if self.sealed else {}),
        }
        return zlib.compress(codec.pack(facts), 1)


def decode(blob: bytes) -> Origins:
    """The layer in `blob`. Raises `Malformed` for what no publisher writes; what it may unpack to is bounded."""
    facts = codec.unpack(_inflated(blob), what=_WHAT, most_lists=_MAX_LISTS)
    try:
        places = facts["places"]
        if not is_mapping(places):
            raise Malformed(_WHAT, "its places are no map")
        return Origins(
            source=str(facts["source"]),
            priority=int(facts["priority"]),
            kind=str(facts["kind"]),
            places={str(at): _read_place(place) for at, place in places.items()},
            file=str(facts["file"]),
            deletes=frozenset(map(str, facts["deletes"])),
            joined=frozenset(map(str, facts["joined"])),
            sealed=frozenset(map(str, facts.get("sealed", ()))),
        )
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed(_WHAT, type(error).__name__) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one layer has to do with one value: it `wins`, `loses` to a layer above it, is `joined` with the lists of
    others, or `deletes` what lies below. `place` is where a person changes it."""

    source: str
    priority: int
    kind: str
    place: str
    effect: str


def trace(layers: Sequence[Origins], path: Path) -> tuple[Given, ...]:
    """The layers that have to do with the value at `path`, the uppermost first. `layers` are the lowest first."""
    on_the_way = [pointer(path[:end]) for end in range(len(path), 0, -1)]
    keys = next((depth for depth, part in enumerate(path) if isinstance(part, int)), len(path))
    own = on_the_way[: len(path) - max(keys, 1) + 1]  # of what stands in a list, the place is that of the list
    found: list[Given] = []
    effect = WINS
    for layer in reversed(layers):
        is_deleting = bool(layer.deletes) and not layer.deletes.isdisjoint(on_the_way)
        is_joining = bool(layer.joined) and not layer.joined.isdisjoint(on_the_way)
        known = (*own, *layer.sealed.intersection(on_the_way))
        place = next((layer.place(at) for at in known if at in layer.places), None)
        if place is not None:
            if is_joining and effect is not LOSES:
                effect = JOINED
            found.append(_given(layer, place, effect))
            effect = effect if is_joining else LOSES
        elif is_deleting:
            found.append(_given(layer, layer.source, DELETES))
        effect = LOSES if is_deleting else effect
    return tuple(found)


def _given(layer: Origins, place: str, effect: str) -> Given:
    return Given(source=layer.source, priority=layer.priority, kind=layer.kind, place=place, effect=effect)


def _read_place(place: Any) -> Place:
    if is_list(place):
        line, column = place
        return int(line), int(column)
    return str(place)


def _inflated(blob: bytes) -> Any:
    inflating = zlib.decompressobj()
    try:
        raw = inflating.decompress(blob, _MAX_BYTES)
    except zlib.error:
        raise Malformed(_WHAT, "they do not unpack") from None
    if inflating.unconsumed_tail or not inflating.eof:
        raise Malformed(_WHAT, f"they have more than {_MAX_BYTES} bytes, or no end")
    return raw
