"""Which blob each section of a document is; its digest is the digest of the whole document."""

from __future__ import annotations

from itertools import accumulate

from confbus.wire import codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Manifest:
    """An immutable map from section name to blob digest.

    The digest of a manifest is the SHA-256 of its lines `<section> TAB <digest> NEWLINE`, sorted by section name.
    """

    __slots__ = ("_base", "_changes", "_places", "_text", "digest", "sections")

    def __init__(self, sections: Mapping[str, str]) -> None:
        ordered = {name: sections[name] for name in sorted(sections)}
        lines = [f"{name}\t{blob}\n".encode() for name, blob in ordered.items()]
        ends = accumulate(map(len, lines))
        # Where in the text the digest of each section is: one that changes is written over the old one.
        self._places = {name: end - len(blob) - 1 for (name, blob), end in zip(ordered.items(), ends, strict=True)}
        self._base = ""
        self._changes: dict[str, str] = {}
        self._set(ordered, b"".join(lines))

    def changed(self, changes: Mapping[str, str | None] | Mapping[str, str]) -> Manifest:
        """The manifest after `changes` (None removes a section); costs little more than the changes."""
        text = bytearray(self._text)
        sections = self.sections.copy()
        real: dict[str, str] = {}
        for name, blob in changes.items():
            old = sections.get(name, "")
            if blob is None or len(blob) != len(old) or not (old + blob).isascii():
                merged = {**self.sections, **changes}
                return Manifest({name: blob for name, blob in merged.items() if blob is not None})
            if blob == old:
                continue
            real[name] = sections[name] = blob
            place = self._places[name]
            text[place : place + len(blob)] = blob.encode()
        after = Manifest.__new__(Manifest)
        after._places = self._places
        after._base, after._changes = self.digest, real
        after._set(sections, bytes(text))
        return after

    def changes_to(self, other: Manifest) -> dict[str, str | None]:
        """What `changed` needs to turn this manifest into `other`."""
        if other._base == self.digest:  # that is how it was made
            return {**other._changes}
        mine, theirs = self.sections, other.sections
        changes: dict[str, str | None] = {name: None for name in mine if name not in theirs}
        changes.update((name, blob) for name, blob in theirs.items() if mine.get(name) != blob)
        return changes

    def _set(self, sections: dict[str, str], text: bytes) -> None:
        self.sections = sections
        self._text = text
        self.digest = codec.digest(text)

    def __iter__(self) -> Iterator[str]:
        return iter(self.sections)

    def __len__(self) -> int:
        return len(self.sections)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Manifest) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Manifest({len(self)} sections, {self.digest[:12]})"


EMPTY = Manifest({})
