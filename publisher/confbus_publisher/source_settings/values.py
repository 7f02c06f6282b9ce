"""`values:`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confbus.wire.frozen import Frozen
from confbus_publisher.source_settings.kind import Kind
from confbus_publisher.source_settings.terms import TERMS, Terms, read_terms
from confbus_publisher.sources.dict import DictSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path as FilePath

    from confbus.wire.path import Path
    from confbus_publisher.entry import Entry
    from confbus_publisher.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesSettings:
    """`values:`, with the line of each value."""

    values: Frozen = field(repr=False)
    origins: Mapping[Path, Origin] = field(repr=False)
    name: str
    terms: Terms

    @property
    def priority(self) -> int:
        return self.terms.priority

    def build(self) -> DictSource:
        return DictSource(
            self.values,
            priority=self.priority,
            name=self.name,
            origins=self.origins,
            interpolate=self.terms.interpolate,
            delete=self.terms.delete,
        )


def _read(entry: Entry, _base: FilePath) -> Iterator[ValuesSettings]:
    values = entry.inner("values")
    depth = len(values.path)
    origins = {path[depth:]: at for path, at in entry.origins.items() if path[:depth] == values.path}
    yield ValuesSettings(
        values=Frozen(values.values),
        origins=origins,
        name=entry.text("name", default="values"),
        terms=read_terms(entry, interpolate=True),
    )


KINDS = {"values": Kind(("name", *TERMS), _read)}
