"""`directory:`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus_publisher.source_settings.kind import Kind
from confbus_publisher.source_settings.terms import TERMS, Terms, read_format, read_profile, read_terms
from confbus_publisher.sources.directory import DirectorySource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus_publisher.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySettings:
    """`directory:`."""

    path: Path
    name: str
    terms: Terms
    optional: bool = False
    format_name: str = ""
    profile: str = ""
    follow_links: bool = False

    @property
    def priority(self) -> int:
        return self.terms.priority

    def build(self) -> DirectorySource:
        return DirectorySource(
            self.path,
            priority=self.priority,
            name=self.name,
            optional=self.optional,
            format_name=self.format_name,
            profile=self.profile,
            interpolate=self.terms.interpolate,
            delete=self.terms.delete,
            follow_links=self.follow_links,
        )


def _read(entry: Entry, base: Path) -> Iterator[DirectorySettings]:
    path = base / entry.text("directory")
    yield DirectorySettings(
        path=path,
        name=entry.text("name", default=str(path)),
        terms=read_terms(entry, interpolate=True),
        optional=entry.flag("optional"),
        format_name=read_format(entry),
        profile=read_profile(entry),
        follow_links=entry.flag("follow_links"),
    )


KINDS = {"directory": Kind(("name", "optional", "format", "profile", "follow_links", *TERMS), _read)}
