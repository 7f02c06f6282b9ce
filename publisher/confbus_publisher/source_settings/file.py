"""`file:` and `files:`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus_publisher.source_settings.kind import Kind
from confbus_publisher.sources.file import FileSource
from confbus_publisher.sources.format import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus_publisher.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """`file:`, or one of `files:`."""

    path: Path
    name: str
    priority: int = 0
    optional: bool = False

    def build(self) -> FileSource:
        return FileSource(self.path, priority=self.priority, name=self.name, optional=self.optional)


def _read(entry: Entry, base: Path) -> Iterator[FileSettings]:
    kind = "files" if "files" in entry else "file"
    files = entry.texts("files") if kind == "files" else [entry.text("file")]
    optional, priority = entry.flag("optional"), entry.whole("priority", default=0)
    for path in (base / file for file in files):
        if path.suffix.lower() not in SUFFIXES:
            reason = f"the suffix of {path} does not say what it is"
            raise entry.refuse(reason, f"Use one of {', '.join(SUFFIXES)}.", at=kind)
        name = entry.text("name", default=str(path))
        yield FileSettings(path=path, name=name, priority=priority, optional=optional)


KINDS = {"file": Kind(("name", "optional"), _read), "files": Kind(("optional",), _read)}
