"""`env:`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus_publisher.source_settings.kind import Kind
from confbus_publisher.source_settings.terms import read_delete
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
    interpolate: bool = False
    delete: tuple[str, ...] = ()
    file_variables: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def build(self) -> EnvSource:
        return EnvSource(
            self.prefix,
            priority=self.priority,
            name=self.name,
            interpolate=self.interpolate,
            delete=self.delete,
            file_variables=self.file_variables,
            ignored=self.ignored,
        )


def _read(entry: Entry, _base: Path) -> Iterator[EnvSettings]:
    prefix = entry.text("env")
    yield EnvSettings(
        prefix=prefix,
        name=entry.text("name", default=f"env:{prefix}"),
        priority=entry.whole("priority", default=0),
        interpolate=entry.flag("interpolate"),
        delete=read_delete(entry),
        file_variables=tuple(_file_variables(entry, prefix)),
    )


def _file_variables(entry: Entry, prefix: str) -> Iterator[str]:
    for index, name in enumerate(entry.texts("file_variables") if "file_variables" in entry else ()):
        if not name.startswith(prefix) or not name.endswith("_FILE"):
            reason = f"{name} does not begin with {prefix} and end with _FILE"
            raise entry.refuse(reason, "Name the variables that name files.", at="file_variables", index=index)
        yield name


KINDS = {"env": Kind(("name", "interpolate", "delete", "file_variables"), _read)}
