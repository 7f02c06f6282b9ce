"""What a change of the head changed, in a line for the audit trail: `~database.pool.size +features.new -old`.

Paths with a sign each, never a value. A path stands for itself and for all below it. A sealed section is
`~database (sealed)`, whatever changed in it; what finds no room is counted: `and 37 more`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidPath
from confbus.wire import codec
from confbus.wire import path as paths
from confbus.wire.sealed import is_sealed
from confbus.wire.sections import ROOT, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from confbus.wire.manifest import Manifest

MAX_PATHS = 20
MAX_LENGTH = 1000
_LONGEST_PATH = 200
_DEEPEST = codec.MAX_DEPTH
_BUDGET_BYTES = 256 * 1024
"""Of sections that are looked into; what exceeds it is named as a whole. A publish must not wait for its own diary."""
# Without steps back, and from one word to the next: a text in the log may be as long as whoever wrote it likes.
_PATH = r'((?:"(?:[^"\\]++|\\.)*+"|[^ "]++)++)'
_ITEM = re.compile(rf"([~+-]){_PATH}( \(sealed\))?(?: |$)")
_NAME = re.compile(rf"{_PATH}(?: |$)")
_MORE = re.compile(r"and ([0-9]{1,9}) more$")


class Sections:
    """The sections before a change, by name; `blobs` has their bytes by digest, as far as they are at hand."""

    def __init__(self, manifest: Manifest, blobs: Mapping[str, bytes]) -> None:
        self.names = manifest.sections
        self._blobs = blobs

    def get(self, name: str) -> bytes | None:
        return self._blobs.get(self.names.get(name, ""))


@dataclass(frozen=True, slots=True)
class Item:
    """One changed path: `sign` is `~` (modified), `+` (added) or `-` (removed)."""

    sign: str
    path: paths.Path
    is_sealed: bool = False

    def text(self) -> str:
        return f"{self.sign}{_rendered(self.path)}{' (sealed)' if self.is_sealed else ''}"


@dataclass(frozen=True, slots=True)
class Summary:
    """The changed paths that are named, and how many more there are."""

    items: tuple[Item, ...] = ()
    more: int = 0

    def text(self) -> str:
        parts = [*(item.text() for item in self.items), *([f"and {self.more} more"] if self.more else [])]
        return " ".join(parts)


def summary(changes: Mapping[str, str | None], old: Sections, new: Mapping[str, bytes]) -> Summary:
    """What `changes` (section to digest, None: gone) make of the sections `old`; `new` has the bytes by digest.

    Costs little more than the sections that changed. Raises `Malformed` for what is no name of a section.
    """
    kept, budget, untouched = _Kept(), _BUDGET_BYTES, None
    for key, names in sorted(_by_key(changes).items()):
        before = {name: old.get(name) for name in names if name in old.names}
        after = {name: new.get(digest) for name in names if (digest := changes[name])}
        blobs = [blob for blob in (*before.values(), *after.values()) if blob]
        budget -= sum(map(len, blobs))
        if untouched is None and not (before and after):
            untouched = {path_of(name)[:1] for name in old.names.keys() - changes.keys()}
        if key and not (before and after) and key not in (untouched or ()):
            kept.add(Item("+" if after else "-", key, is_sealed=any(map(is_sealed, blobs))))
        elif any(map(is_sealed, blobs)):
            kept.add(Item("~", key, is_sealed=True))
        elif budget < 0 or kept.is_full:
            kept.add(Item("~", key))
        else:
            for item in _of_key(key, before, after):
                kept.add(item)
    return Summary(tuple(kept.items), kept.more)


def parse(text: str) -> Summary:
    """The summary that `text` is; what is none is left out. Nothing in a log is taken on faith."""
    found = [(sign, _read(name), bool(sealed)) for sign, name, sealed in _words(_ITEM, text)]
    items = tuple(Item(sign, path, is_sealed=sealed) for sign, path, sealed in found if path is not None)
    more = _MORE.search(text)
    return Summary(items, int(more[1]) if more else 0)


def section_names(names: Iterable[str]) -> str:
    """Names of sections in a line, as many as find room."""
    found = sorted(set(names))
    shown = " ".join(_rendered(path_of(name)) for name in found[:MAX_PATHS])[:MAX_LENGTH]
    return f"{shown} and {len(found) - MAX_PATHS} more" if len(found) > MAX_PATHS else shown


def read_names(text: str) -> list[paths.Path]:
    """The places of the sections in such a line; what is none is left out."""
    found = (_read(name) for (name,) in _words(_NAME, _MORE.sub("", text)))
    return [path for path in found if path is not None]


class _Kept:
    """The items that find room, and the number of those that do not."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.more = 0
        self._room = MAX_LENGTH

    @property
    def is_full(self) -> bool:
        return len(self.items) == MAX_PATHS or self._room < _LONGEST_PATH

    def add(self, item: Item) -> None:
        if self.is_full or (length := len(item.text()) + 1) > _LONGEST_PATH:
            self.more += 1
        else:
            self.items.append(item)
            self._room -= length


def _by_key(changes: Iterable[str]) -> dict[paths.Path, list[str]]:
    """The changed sections by the top-level key that they are of; those without any are under the empty path."""
    groups: dict[paths.Path, list[str]] = {}
    for name in changes:
        groups.setdefault(path_of(name)[:1], []).append(name)
    return groups


def _of_key(key: paths.Path, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> Iterator[Item]:
    old, new = _parts(before), _parts(after)
    if old is None or new is None:
        yield Item("~", key)
    else:
        yield from _compared(key, old, new)


def _parts(sections: Mapping[str, bytes | None]) -> dict[str, bytes] | None:
    """What is directly below the key of these sections, as bytes; None when that cannot be told."""
    parts: dict[str, bytes] = {}
    for name, blob in sections.items():
        path = path_of(name)
        if blob is None:
            return None
        if len(path) == 2:
            parts[str(path[1])] = blob
            continue
        own = _children(blob)
        if own is None:
            return None
        parts |= own
    return parts


def _compared(at: paths.Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[Item]:
    """The encoding is canonical: what has the same bytes is the same, and need not be decoded."""
    for key in sorted({*before, *after}):
        old, new, here = before.get(key), after.get(key), (*at, key)
        if old == new:
            continue
        if old is None or new is None:
            yield Item("+" if new else "-", here)
            continue
        inner_old, inner_new = (_children(raw) if len(here) < _DEEPEST else None for raw in (old, new))
        if inner_old and inner_new:
            yield from _compared(here, inner_old, inner_new)
        else:
            yield Item("~", here)


def _children(raw: bytes) -> dict[str, bytes] | None:
    """The parts of a mapping by their keys, each in its bytes; None for what is no mapping of configuration."""
    if not raw or not (0x80 <= raw[0] <= 0x8F or raw[0] in {0xDE, 0xDF}):
        return None
    unpacker = codec.msgpack.Unpacker(raw=False, max_ext_len=0, max_bin_len=0)
    parts: dict[str, bytes] = {}
    try:
        unpacker.feed(raw)
        for _ in range(unpacker.read_map_header()):
            key = unpacker.unpack()
            start = unpacker.tell()
            unpacker.skip()
            parts[key] = raw[start : unpacker.tell()]
    except (ValueError, TypeError, RecursionError, codec.msgpack.UnpackException, codec.msgpack.BufferFull):
        return None
    return parts if all(type(key) is str for key in parts) else None


def _words(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str | Any, ...]]:
    """The groups of each word in `text` that `pattern` matches."""
    at = 0
    while 0 <= at < len(text):
        found = pattern.match(text, at)
        if found:
            yield found.groups()
        at = found.end() if found else text.find(" ", at) + 1 or len(text)


def _read(text: str) -> paths.Path | None:
    try:
        return () if text == ROOT else paths.parse(text)
    except InvalidPath:
        return None


def _rendered(path: paths.Path) -> str:
    """The path as it stands in a line of paths: a key with a space is quoted."""
    text = paths.render(path) or ROOT
    return "".join(f"[{json.dumps(part, ensure_ascii=False)}]" for part in path) if " " in text else text
