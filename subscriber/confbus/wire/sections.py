"""The sections of a document, and joining them into one. `encoder.py` cuts.

A section is one top-level key; top-level values that are not mappings form the section `.`; a section over 64 KB is
cut once more at its second level (what is no mapping there stays in the first-level section). Sections are the unit
of storage, transfer and reuse: an unchanged section is neither encoded, sent, stored nor decoded again.
"""

from __future__ import annotations

from confbus.errors import Malformed
from confbus.wire import codec
from confbus.wire import path as paths
from confbus.wire.frozen import Frozen, Referring
from confbus.wire.manifest import EMPTY, Manifest
from confbus.wire.remembered import Remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any, TypeGuard, TypeVar

    from confbus.wire.frozen import Reference
    from confbus.wire.sealed import Envelope, Locked

    T = TypeVar("T")
    Opener = Callable[[str, Envelope], bytes | None]

ROOT = "."
SEAL = b"\xc1"
"""With this byte the envelope of a sealed section begins, and no msgpack ever does."""

Group = dict[paths.Path, Frozen]
"""The sections of one top-level key, by their place."""


def name_of(path: paths.Path) -> str:
    """The name of the section at `path` (none, one or two keys)."""
    return paths.render(path) or ROOT


def path_of(name: str) -> paths.Path:
    """The place of a section in the document. Raises `Malformed` for what is no section name, and for a second name
    of the same place: one document would have two digests."""
    path: paths.Path = _places[name]
    return path


def _place_of(name: str) -> paths.Path:
    try:
        path = () if name == ROOT else paths.parse(name)
    except ValueError:
        path = (0,)
    if len(path) > 2 or not all(isinstance(part, str) for part in path) or name_of(path) != name:
        raise Malformed("a section name", f"{name!r} is no path of at most two keys")
    return path


_places = Remembered(_place_of)


class Assembly:
    """An immutable document put together from sections; `changed` reuses every section that stayed.

    Only the top-level keys that a changed section touches are rebuilt; all other values are the very same objects
    in the new document. Sections in `locked` are not in the document, those in `referring` hold secret references.
    """

    __slots__ = ("_groups", "document", "locked", "manifest", "referring")

    def __init__(
        self,
        manifest: Manifest,
        groups: Mapping[paths.Path, Group],
        document: Frozen,
        locked: Mapping[str, Locked],
        referring: Mapping[str, Referring],
    ) -> None:
        self.manifest = manifest
        self.document = document
        self.locked = locked
        self.referring = referring
        self._groups = groups

    def changed(self, manifest: Manifest, values: Mapping[str, Frozen | Locked | None]) -> Assembly:
        """The assembly for `manifest`, which differs from mine in the sections `values` (None: gone)."""
        if not values:
            return Assembly(manifest, self._groups, self.document, self.locked, self.referring)
        closed = {name: each for name, each in values.items() if each is not None and not isinstance(each, Frozen)}
        locked = _after(self.locked, values, closed)
        referring = _after(self.referring, values, {name: each for name, each in values.items() if _refers(each)})
        touched = self._touched(values)
        residue = touched.get((), {}).get((), Frozen())
        rebuilt: dict[Any, Frozen] = {place[0]: _joined(group) for place, group in touched.items() if place and group}
        put_in = {**residue, **rebuilt}
        document: dict[str, Any] = {**self.document, **put_in}
        for key in _keys_under(touched, self.loose) - put_in.keys():
            document.pop(key, None)  # a locked section was never there
        if not put_in.keys() <= self.document.keys():
            # Sorted, whatever way the document came about: two workers at one version print it alike.
            document = {key: document[key] for key in sorted(document)}
        return Assembly(manifest, {**self._groups, **touched}, Frozen(document), locked, referring)

    @property
    def loose(self) -> Frozen:
        """What the section `.` has: the top-level values that are no mappings."""
        return self._groups.get((), {}).get((), Frozen())

    @property
    def locked_places(self) -> dict[paths.Path, str]:
        """The ids of the keys that locked sections need, by their places."""
        return {path_of(name): locked.key for name, locked in self.locked.items()}

    @property
    def references(self) -> dict[paths.Path, Reference]:
        """The secret references in the document, by their paths."""
        sections = self.referring.items()
        return {(*path_of(name), *at): each for name, section in sections for at, each in section.references.items()}

    def _touched(self, values: Mapping[str, Frozen | Locked | None]) -> dict[paths.Path, Group]:
        """The groups that `values` belong to, as they are afterwards."""
        touched: dict[paths.Path, Group] = {}
        for name, value in values.items():
            path = path_of(name)
            place = path[:1]
            if place not in touched:
                touched[place] = dict(self._groups.get(place, {}))
            if isinstance(value, Frozen):
                touched[place][path] = value
            else:
                touched[place].pop(path, None)
        return touched


NOTHING = Assembly(EMPTY, {}, Frozen(), {}, {})


def decode_section(name: str, blob: bytes, blob_digest: str, opener: Opener | None = None) -> Frozen | Locked:
    """The value of one section. Raises `Malformed` when the bytes do not have the digest or are no mapping."""
    if codec.digest(blob) != blob_digest:
        raise Malformed(f"section {name!r}", "its bytes do not have its digest")
    return value_of(name, blob, opener)


def value_of(name: str, blob: bytes, opener: Opener | None = None) -> Frozen | Locked:
    """The value of one section whose bytes are the right ones. Raises `Malformed` when they are no mapping.

    `opener` gives the plain bytes of a sealed one, or None where there is no key; then, and without an `opener`, it
    stays locked.
    """
    if is_sealed(blob):
        return _unsealed(name, blob, opener)
    return _decoded(name, blob)


def is_sealed(blob: bytes) -> bool:
    """True for an envelope, whether it can be read or not."""
    return blob[:1] == SEAL


def _unsealed(name: str, blob: bytes, opener: Opener | None) -> Frozen | Locked:
    from confbus.wire.sealed import Locked, parse  # most workers never meet one

    envelope = parse(blob, what=f"section {name!r}")
    plain = opener(name, envelope) if opener else None
    return Locked(envelope.key, blob) if plain is None else _decoded(name, plain)


def _decoded(name: str, blob: bytes) -> Frozen:
    value = codec.decode(blob, what=f"section {name!r}")
    if not isinstance(value, Frozen):
        raise Malformed(f"section {name!r}", "it is no mapping")
    return value


def join(blobs: Mapping[str, bytes], manifest: Manifest, opener: Opener | None = None) -> Assembly:
    """The whole document of `manifest` from all of its blobs, given by digest; without an `opener`, sealed sections
    are locked."""
    with codec.Undisturbed(sum(map(len, blobs.values()))):
        values = {name: decode_section(name, blobs[blob], blob, opener) for name, blob in manifest.sections.items()}
        return NOTHING.changed(manifest, values)


def around(manifest: Manifest, path: paths.Path) -> Manifest:
    """The part of `manifest` in which a value at `path` can be: enough to look it up in what `join` gives."""
    places = {(), path[:1]}
    return Manifest({name: blob for name, blob in manifest.sections.items() if path_of(name)[:1] in places})


def _after(before: Mapping[str, T], values: Collection[str], new: Mapping[str, T]) -> Mapping[str, T]:
    """What is true of some sections, once `values` came and `new` is true of those."""
    kept = {name: each for name, each in before.items() if name not in values}
    return {**kept, **new} if new or kept else {}


def _refers(value: Frozen | Locked | None) -> TypeGuard[Referring]:
    return isinstance(value, Referring)


def _keys_under(touched: Collection[paths.Path], residue: Mapping[str, Any]) -> set[Any]:
    """The top-level keys that the touched groups had a part in, as far as they are in the document."""
    keys: set[Any] = {place[0] for place in touched if place}
    return keys | residue.keys() if () in touched else keys


def _joined(group: Group) -> Frozen:
    parts: dict[Any, Any] = {path[1]: value for path, value in group.items() if len(path) == 2}
    whole = next((value for path, value in group.items() if len(path) == 1), Frozen())
    return Frozen({**whole, **parts}) if parts else whole
