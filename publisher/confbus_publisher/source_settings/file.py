"""`file:` and `files:`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confbus_publisher.formats.format import SUFFIXES, format_of
from confbus_publisher.source_settings.kind import Kind
from confbus_publisher.source_settings.terms import TERMS, Terms, read_format, read_profile, read_terms
from confbus_publisher.sources.file import FileSource
from confbus_publisher.sources.glob import GlobSource, is_pattern
from confbus_publisher.sources.profile import variant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus_publisher.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """`file:`, one of `files:`, or what a profile puts on top of it."""

    path: Path
    name: str
    terms: Terms
    optional: bool = False
    format_name: str = ""

    @property
    def priority(self) -> int:
        return self.terms.priority

    def build(self) -> FileSource:
        return FileSource(
            self.path,
            priority=self.priority,
            name=self.name,
            optional=self.optional,
            format_name=self.format_name,
            interpolate=self.terms.interpolate,
            delete=self.terms.delete,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobSettings:
    """One of `files:` that is a pattern."""

    pattern: str
    terms: Terms
    optional: bool = False
    format_name: str = ""
    profile: str = ""
    follow_links: bool = False

    @property
    def name(self) -> str:
        return self.pattern

    @property
    def priority(self) -> int:
        return self.terms.priority

    def build(self) -> GlobSource:
        return GlobSource(
            self.pattern,
            priority=self.priority,
            optional=self.optional,
            format_name=self.format_name,
            profile=self.profile,
            interpolate=self.terms.interpolate,
            delete=self.terms.delete,
            follow_links=self.follow_links,
        )


def _read_file(entry: Entry, base: Path) -> Iterator[FileSettings]:
    file = entry.text("file")
    if "*" in file or "?" in file:
        raise entry.refuse("a pattern stands for several files", f"Write `files: [{file}]`.", at="file")
    yield from _files(entry, base / file, read_terms(entry, interpolate=True))


def _read_files(entry: Entry, base: Path) -> Iterator[FileSettings | GlobSettings]:
    terms = read_terms(entry, interpolate=True)
    for index, file in enumerate(entry.texts("files")):
        yield from (
            _patterns(entry, index, base / file, terms) if is_pattern(file) else _files(entry, base / file, terms)
        )
        terms = replace(terms, delete=())  # Once is enough, and would undo what the files before it say.


def _files(entry: Entry, path: Path, terms: Terms) -> Iterator[FileSettings]:
    kind = "files" if "files" in entry else "file"
    format_name, profile = read_format(entry), read_profile(entry)
    if not format_name and not format_of(path.name):
        reason = f"the suffix of {path} does not say what it is"
        raise entry.refuse(reason, f"Use one of {', '.join(SUFFIXES)}, or add `format:`.", at=kind)
    name = entry.text("name", default="")
    file = FileSettings(
        path=path, name=name or str(path), terms=terms, optional=entry.flag("optional"), format_name=format_name
    )
    yield file
    if profile:
        on_top = path.with_name(variant(path.name, profile))
        name = f"{name} ({profile})" if name else str(on_top)
        yield replace(file, path=on_top, name=name, optional=True, terms=replace(terms, delete=()))


def _patterns(entry: Entry, index: int, path: Path, terms: Terms) -> Iterator[GlobSettings]:
    format_name = read_format(entry)
    if "**" in path.parts:
        raise entry.refuse("** is not known here", "Write a * for each level.", at="files", index=index)
    if not format_name and not format_of(path.name):
        reason = "the pattern does not say of which format its files are"
        raise entry.refuse(reason, "End it as in conf.d/*.yaml, or add `format:`.", at="files", index=index)
    yield GlobSettings(
        pattern=str(path),
        terms=terms,
        optional=entry.flag("optional"),
        format_name=format_name,
        profile=read_profile(entry),
        follow_links=entry.flag("follow_links"),
    )


_KEYS = ("optional", "format", "profile", *TERMS)
KINDS = {"file": Kind(("name", *_KEYS), _read_file), "files": Kind(("follow_links", *_KEYS), _read_files)}
