"""Which blob each section of a document is; its digest is the digest of the whole document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.wire import codec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Manifest:
    """An immutable map from section name to blob digest.

    The digest of a manifest is the SHA-256 of its lines `<section> TAB <digest> NEWLINE`, sorted by section name.
    """

    __slots__ = ("_lines", "digest", "sections")

    def __init__(self, sections: Mapping[str, str]) -> None:
        ordered = {name: sections[name] for name in sorted(sections)}
        self._set(ordered, {name: _line(name, blob) for name, blob in ordered.items()})

    def changed(self, changes: Mapping[str, str | None]) -> Manifest:
        """The manifest after `changes` (None removes a section); costs little more than the changes."""
        if any(blob is None or name not in self.sections for name, blob in changes.items()):
            merged = {**self.sections, **changes}
            return Manifest({name: blob for name, blob in merged.items() if blob is not None})
        sections, lines = self.sections.copy(), self._lines.copy()
        for name, blob in changes.items():
            if blob is not None:
                sections[name], lines[name] = blob, _line(name, blob)
        after = Manifest.__new__(Manifest)
        after._set(sections, lines)
        return after

    def changes_to(self, other: Manifest) -> dict[str, str | None]:
        """What `changed` needs to turn this manifest into `other`."""
        mine, theirs = self.sections, other.sections
        if mine.keys() == theirs.keys():
            return {name: blob for name, blob in theirs.items() if mine[name] != blob}
        changes: dict[str, str | None] = {name: None for name in mine if name not in theirs}
        changes.update((name, blob) for name, blob in theirs.items() if mine.get(name) != blob)
        return changes

    def _set(self, sections: dict[str, str], lines: dict[str, str]) -> None:
        self.sections = sections
        self._lines = lines
        self.digest = codec.digest("".join(lines.values()).encode())

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


def _line(name: str, blob: str) -> str:
    return f"{name}\t{blob}\n"


EMPTY = Manifest({})
