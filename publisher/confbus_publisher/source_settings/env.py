"""`env:`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus_publisher.source_settings.kind import Kind
from confbus_publisher.sources.env import EnvSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus_publisher.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSettings:
    """`env:`."""

    prefix: str
    name: str
    priority: int = 0

    def build(self) -> EnvSource:
        return EnvSource(self.prefix, priority=self.priority, name=self.name)


def _read(entry: Entry, _base: Path) -> Iterator[EnvSettings]:
    prefix = entry.text("env")
    name = entry.text("name", default=f"env:{prefix}")
    yield EnvSettings(prefix=prefix, name=name, priority=entry.whole("priority", default=0))


KINDS = {"env": Kind(("name",), _read)}
