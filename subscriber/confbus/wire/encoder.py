"""Cutting a document into sections in bytes; `sections.py` says what a section is."""

from __future__ import annotations

import sys
from itertools import compress
from operator import is_not

from confbus.errors import InvalidDocument
from confbus.wire import codec
from confbus.wire.frozen import Frozen, FrozenList, is_mapping
from confbus.wire.manifest import EMPTY, Manifest
from confbus.wire.sections import ROOT, name_of, path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

_GONE = object()
SPLIT_BYTES = 64 * 1024
MAX_SECTIONS = 1000


class Encoder:
    """Documents to sections in bytes.

    Remembers the last document: values that are the very same `Frozen` objects again are not encoded again, so a
    change costs what changed. The values of the top-level keys `whole` are not cut, whatever their size. Not
    thread-safe; one publisher, one encoder.
    """

    def __init__(self, *, whole: Collection[str] = ()) -> None:
        self._whole = frozenset(whole)
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
                limit = SPLIT_BYTES if key not in self._whole else sys.maxsize
                cuts[key] = _cut(key, value, before.get(key), limit=limit)
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


def _cut(key: str, value: dict[str, Any], before: _Cut | None, *, limit: int) -> _Cut:
    if before is None or not before.parts:
        whole = codec.encode(value, at=(key,))
        if len(whole) <= limit:
            return _Cut({name_of((key,)): whole}, {})
    known: Mapping[str, tuple[Any, bytes]] = before.parts if before else {}
    parts: dict[str, tuple[Any, bytes]] = {}
    for name, part in value.items():
        last = known.get(name)
        is_known = last is not None and last[0] is part and isinstance(part, Frozen | FrozenList)
        parts[name] = last if is_known and last else (part, codec.encode(part, at=(key, name)))
    if codec.size_of_map(len(blob) + len(codec.encode(name)) for name, (_, blob) in parts.items()) <= limit:
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


def _too_many(names: Iterable[str]) -> str:
    counts: dict[str, int] = {}
    for name in names:
        parent = str(path_of(name)[0]) if len(path_of(name)) == 2 else "the top level"
        counts[parent] = counts.get(parent, 0) + 1
    worst = max(counts, key=lambda parent: counts[parent])
    return f"it has {sum(counts.values())} sections, more than {MAX_SECTIONS}; most are under {worst}"
