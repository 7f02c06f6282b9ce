"""The `sources:` of confbus.yaml: what each entry says, and the source that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confbus.wire.frozen import Frozen
from confbus_publisher.sources.dict import DictSource
from confbus_publisher.sources.env import EnvSource
from confbus_publisher.sources.file import SUFFIXES, FileSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path as FilePath

    from confbus.wire.path import Path
    from confbus_publisher.entry import Entry
    from confbus_publisher.origin import Origin

_KINDS = ("file", "files", "env", "values")
_EXTRA = {"file": ("name", "optional"), "files": ("optional",), "env": ("name",), "values": ("name",)}
_LATER_KINDS = ("directory", "http", "vault")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """`file:`, or one of `files:`."""

    path: FilePath
    name: str
    priority: int = 0
    optional: bool = False

    def build(self) -> FileSource:
        return FileSource(self.path, priority=self.priority, name=self.name, optional=self.optional)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSettings:
    """`env:`."""

    prefix: str
    name: str
    priority: int = 0

    def build(self) -> EnvSource:
        return EnvSource(self.prefix, priority=self.priority, name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesSettings:
    """`values:`, with the line of each value."""

    values: Frozen = field(repr=False)
    origins: Mapping[Path, Origin] = field(repr=False)
    name: str
    priority: int = 0

    def build(self) -> DictSource:
        return DictSource(self.values, priority=self.priority, name=self.name, origins=self.origins)


SourceSettings = FileSettings | EnvSettings | ValuesSettings


def read_sources(entries: Iterable[Entry], *, base: FilePath) -> tuple[SourceSettings, ...]:
    """What the entries say, in their order; relative files start at `base`. Raises `InvalidSettings` with the line."""
    sources: dict[str, SourceSettings] = {}
    for entry in entries:
        for source in _read(entry, base):
            if source.name in sources:
                reason = f"another source is named {source.name} already"
                raise entry.refuse(reason, "Give one of them a `name:`.")
            sources[source.name] = source
    return tuple(sources.values())


def _read(entry: Entry, base: FilePath) -> Iterator[SourceSettings]:
    kind = _kind(entry)
    priority = entry.whole("priority", default=0)
    if kind == "env":
        prefix = entry.text("env")
        yield EnvSettings(prefix=prefix, name=entry.text("name", default=f"env:{prefix}"), priority=priority)
    elif kind == "values":
        yield _values(entry, priority)
    else:
        files = entry.texts("files") if kind == "files" else [entry.text("file")]
        optional = entry.flag("optional")
        for path in (base / file for file in files):
            if path.suffix.lower() not in SUFFIXES:
                reason = f"the suffix of {path} does not say what it is"
                raise entry.refuse(reason, f"Use one of {', '.join(SUFFIXES)}.", at=kind)
            name = entry.text("name", default=str(path))
            yield FileSettings(path=path, name=name, priority=priority, optional=optional)


def _kind(entry: Entry) -> str:
    """The one key that says which kind of source it is; all other keys must fit it."""
    kinds = [kind for kind in _KINDS if kind in entry]
    known = {"priority", *(kinds or _KINDS), *_EXTRA.get(kinds[0] if kinds else "", ("name", "optional"))}
    entry.only(known | set(kinds), later=_LATER_KINDS)
    if len(kinds) != 1:
        reason = f"{' and '.join(kinds)} are two sources" if kinds else "this names no source"
        raise entry.refuse(reason, f"Give each source exactly one of {', '.join(_KINDS)}.")
    return kinds[0]


def _values(entry: Entry, priority: int) -> ValuesSettings:
    values = entry.inner("values")
    depth = len(values.path)
    origins = {path[depth:]: at for path, at in entry.origins.items() if path[:depth] == values.path}
    return ValuesSettings(
        values=Frozen(values.values),
        origins=origins,
        name=entry.text("name", default="values"),
        priority=priority,
    )
