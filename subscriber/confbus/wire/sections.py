"""Cutting a document into sections and joining sections into a document.

A section is one top-level key; top-level values that are not mappings form the section `.`; a section over 64 KB is
cut once more at its second level (what is no mapping there stays in the first-level section). Sections are the unit
of storage, transfer and reuse: an unchanged section is neither encoded, sent, stored nor decoded again.
"""

from __future__ import annotations

from itertools import compress
from operator import is_not

from confbus.errors import InvalidDocument, Malformed
from confbus.wire import codec
from confbus.wire import path as paths
from confbus.wire.frozen import Frozen, FrozenList, is_mapping
from confbus.wire.manifest import EMPTY, Manifest
from confbus.wire.remembered import Remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

ROOT = "."
_GONE = object()
SPLIT_BYTES = 64 * 1024
MAX_SECTIONS = 1000

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


class Encoder:
    """Documents to sections in bytes.

    Remembers the last document: values that are the very same `Frozen` objects again are not encoded again, so a
    change costs what changed. Not thread-safe; one publisher, one encoder.
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._changeable: list[str] = []
        self._cuts: dict[str, _Cut] = {}
        self._last = Encoded({}, EMPTY, {}, 0)

    def encode(self, document: Mapping[str, Any]) -> Encoded:
        """The sections of `document`. Raises `InvalidDocument` for what cannot be configuration, and for more than
        1,000 sections."""
        touched = self._touched(document)
        cuts = self._cuts.copy()
        before = {key: cuts.pop(key) for key in touched if key in cuts}
        fresh: dict[str, bytes] = {}
        residue: dict[str, Any] = {}
        for key in touched:
            value = document.get(key, _GONE)
            if is_mapping(value) and type(key) is str:
                cuts[key] = _cut(key, value, before.get(key))
                fresh.update(cuts[key].blobs)
            elif value is not _GONE:
                residue[key] = value
        if residue:
            fresh[ROOT] = codec.encode(residue)
        gone = {name for cut in before.values() for name in cut.blobs}
        encoded = self._last.changed(fresh, (gone if residue else {*gone, ROOT}) - fresh.keys())
        if len(encoded.blobs) > MAX_SECTIONS:
            raise InvalidDocument("", _too_many(encoded.blobs), advice="Group related keys under fewer parents.")
        self._changeable = [key for key in touched if type(document.get(key, _GONE)) is not Frozen]
        self._values, self._cuts, self._last = dict(document), cuts, encoded
        return encoded

    def _touched(self, document: Mapping[str, Any]) -> Iterable[str]:
        """The keys whose values are not the very same immutable objects as last time, those that are gone included.
        While the keys stay, no Python code runs over them."""
        last = self._values
        if list(document) != list(last):
            new = [key for key, value in document.items() if last.get(key, _GONE) is not value]
            return {**dict.fromkeys(new), **dict.fromkeys(self._changeable), **dict.fromkeys(last.keys() - document)}
        moved = compress(document, map(is_not, document.values(), last.values()))
        return {**dict.fromkeys(moved), **dict.fromkeys(self._changeable)}


class _Cut:
    """The sections one top-level value was cut into; `parts` are the second-level values, when it was split."""

    __slots__ = ("blobs", "parts")

    def __init__(self, blobs: dict[str, bytes], parts: Mapping[str, tuple[Any, bytes]]) -> None:
        self.blobs = blobs
        self.parts = parts


def _cut(key: str, value: dict[str, Any], before: _Cut | None) -> _Cut:
    if before is None or not before.parts:
        whole = codec.encode(value, at=(key,))
        if len(whole) <= SPLIT_BYTES:
            return _Cut({name_of((key,)): whole}, {})
    known: Mapping[str, tuple[Any, bytes]] = before.parts if before else {}
    parts: dict[str, tuple[Any, bytes]] = {}
    for name, part in value.items():
        last = known.get(name)
        is_known = last is not None and last[0] is part and isinstance(part, Frozen | FrozenList)
        parts[name] = last if is_known and last else (part, codec.encode(part, at=(key, name)))
    if codec.size_of_map(len(blob) + len(codec.encode(name)) for name, (_, blob) in parts.items()) <= SPLIT_BYTES:
        return _Cut({name_of((key,)): codec.encode(value, at=(key,))}, {})
    residue = {name: part for name, part in value.items() if not is_mapping(part)}
    blobs = {name_of((key, name)): blob for name, (part, blob) in parts.items() if is_mapping(part)}
    if residue or not blobs:
        blobs[name_of((key,))] = codec.encode(residue, at=(key,))
    return _Cut(blobs, parts)


class Encoded:
    """A document as sections in bytes: by section name, and by digest."""

    __slots__ = ("blobs", "by_digest", "manifest", "size")

    def __init__(self, blobs: dict[str, bytes], manifest: Manifest, by_digest: dict[str, bytes], size: int) -> None:
        self.blobs = blobs
        self.manifest = manifest
        self.by_digest = by_digest
        self.size = size

    def changed(self, fresh: Mapping[str, bytes], gone: Iterable[str]) -> Encoded:
        """The document with sections put in and taken out; costs little more than those."""
        changes: dict[str, str | None] = {name: codec.digest(blob) for name, blob in fresh.items()}
        vanished = [name for name in gone if name in self.blobs]
        manifest = self.manifest.changed({**changes, **dict.fromkeys(vanished)})
        blobs, by_digest = {**self.blobs, **fresh}, self.by_digest.copy()
        replaced = sum(len(self.blobs.get(name, b"")) for name in (*fresh, *vanished))
        stale = {self.manifest.sections.get(name) for name in (*fresh, *vanished)}
        for name in vanished:
            del blobs[name]
        for digest in stale.difference(manifest.sections.values()):
            by_digest.pop(digest or "", None)
        by_digest.update((digest or "", fresh[name]) for name, digest in changes.items())
        return Encoded(blobs, manifest, by_digest, self.size - replaced + sum(map(len, fresh.values())))

    def largest(self, count: int = 3) -> list[tuple[str, int]]:
        """The names and bytes of the largest sections."""
        by_size = sorted(self.blobs.items(), key=lambda item: len(item[1]), reverse=True)
        return [(name, len(blob)) for name, blob in by_size[:count]]


class Assembly:
    """An immutable document put together from sections; `changed` reuses every section that stayed.

    Only the top-level keys that a changed section touches are rebuilt; all other values are the very same objects
    in the new document.
    """

    __slots__ = ("_groups", "document", "manifest")

    def __init__(self, manifest: Manifest, groups: Mapping[paths.Path, Group], document: Frozen) -> None:
        self.manifest = manifest
        self.document = document
        self._groups = groups

    def changed(self, manifest: Manifest, values: Mapping[str, Frozen | None]) -> Assembly:
        """The assembly for `manifest`, which differs from mine in the sections `values` (None: gone)."""
        if not values:
            return Assembly(manifest, self._groups, self.document)
        touched = self._touched(values)
        residue = touched.get((), {}).get((), Frozen())
        rebuilt: dict[Any, Frozen] = {place[0]: _joined(group) for place, group in touched.items() if place and group}
        put_in = {**residue, **rebuilt}
        document: dict[str, Any] = {**self.document, **put_in}
        before = self._groups.get((), {}).get((), Frozen())
        for key in _keys_under(touched, before) - put_in.keys():
            del document[key]
        if not put_in.keys() <= self.document.keys():
            # Sorted, whatever way the document came about: two workers at one version print it alike.
            document = {key: document[key] for key in sorted(document)}
        return Assembly(manifest, {**self._groups, **touched}, Frozen(document))

    def _touched(self, values: Mapping[str, Frozen | None]) -> dict[paths.Path, Group]:
        """The groups that `values` belong to, as they are afterwards."""
        touched: dict[paths.Path, Group] = {}
        for name, value in values.items():
            path = path_of(name)
            place = path[:1]
            if place not in touched:
                touched[place] = dict(self._groups.get(place, {}))
            if value is None:
                touched[place].pop(path, None)
            else:
                touched[place][path] = value
        return touched


NOTHING = Assembly(EMPTY, {}, Frozen())


def decode_section(name: str, blob: bytes, blob_digest: str) -> Frozen:
    """The value of one section. Raises `Malformed` when the bytes do not have the digest or are no mapping."""
    if codec.digest(blob) != blob_digest:
        raise Malformed(f"section {name!r}", "its bytes do not have its digest")
    return value_of(name, blob)


def value_of(name: str, blob: bytes) -> Frozen:
    """The value of one section whose bytes are the right ones. Raises `Malformed` when they are no mapping."""
    value = codec.decode(blob, what=f"section {name!r}")
    if not isinstance(value, Frozen):
        raise Malformed(f"section {name!r}", "it is no mapping")
    return value


def join(blobs: Mapping[str, bytes], manifest: Manifest) -> Assembly:
    """The whole document of `manifest` from all of its blobs, given by digest."""
    with codec.Undisturbed(sum(map(len, blobs.values()))):
        values = {name: decode_section(name, blobs[blob], blob) for name, blob in manifest.sections.items()}
        return NOTHING.changed(manifest, values)


def around(manifest: Manifest, path: paths.Path) -> Manifest:
    """The part of `manifest` in which a value at `path` can be: enough to look it up in what `join` gives."""
    places = {(), path[:1]}
    return Manifest({name: blob for name, blob in manifest.sections.items() if path_of(name)[:1] in places})


def _keys_under(touched: Collection[paths.Path], residue: Mapping[str, Any]) -> set[Any]:
    """The top-level keys that the touched groups had a part in, as far as they are in the document."""
    keys: set[Any] = {place[0] for place in touched if place}
    return keys | residue.keys() if () in touched else keys


def _joined(group: Group) -> Frozen:
    parts: dict[Any, Any] = {path[1]: value for path, value in group.items() if len(path) == 2}
    whole = next((value for path, value in group.items() if len(path) == 1), Frozen())
    return Frozen({**whole, **parts}) if parts else whole


def _too_many(names: Iterable[str]) -> str:
    counts: dict[str, int] = {}
    for name in names:
        parent = str(path_of(name)[0]) if len(path_of(name)) == 2 else "the top level"
        counts[parent] = counts.get(parent, 0) + 1
    worst = max(counts, key=lambda parent: counts[parent])
    return f"it has {sum(counts.values())} sections, more than {MAX_SECTIONS}; most are under {worst}"
