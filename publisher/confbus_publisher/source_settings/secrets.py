"""`secrets:`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus_publisher.source_settings.kind import Kind
from confbus_publisher.source_settings.terms import TERMS, Terms, read_terms
from confbus_publisher.sources.secrets import SecretsSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus_publisher.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsSettings:
    """`secrets:`."""

    path: Path
    name: str
    terms: Terms
    optional: bool = False
    follow_links: bool = False

    @property
    def priority(self) -> int:
        return self.terms.priority

    def build(self) -> SecretsSource:
        return SecretsSource(
            self.path,
            priority=self.priority,
            name=self.name,
            optional=self.optional,
            interpolate=self.terms.interpolate,
            delete=self.terms.delete,
            follow_links=self.follow_links,
        )


def _read(entry: Entry, base: Path) -> Iterator[SecretsSettings]:
    path = base / entry.text("secrets")
    yield SecretsSettings(
        path=path,
        name=entry.text("name", default=str(path)),
        terms=read_terms(entry, interpolate=False),
        optional=entry.flag("optional"),
        follow_links=entry.flag("follow_links"),
    )


KINDS = {"secrets": Kind(("name", "optional", "follow_links", *TERMS), _read)}
