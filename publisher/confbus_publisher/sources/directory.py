"""A directory as a source: a `conf.d`, or a volume that Kubernetes made of a ConfigMap."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Unpack

from confbus_publisher.formats.format import format_of
from confbus_publisher.sources.file_group import FileGroup
from confbus_publisher.sources.value_files import ValueFilesSource

if TYPE_CHECKING:
    from confbus_publisher.sources.file_group import FileOptions
    from confbus_publisher.sources.mount import Listing
    from confbus_publisher.sources.source import Source


class DirectorySource(FileGroup):
    """Every file in `directory` whose suffix says what it is, in the order of their names; see `FileGroup`. With a
    `format_name` every file is taken.

    Hidden files, those of editors, those of other suffixes and what lies deeper are left out. In a volume
    that Kubernetes mounted, a key of another suffix is a string under its name, below all files.
    """

    kind = "directory"

    def __init__(self, directory: str | os.PathLike[str], **options: Unpack[FileOptions]) -> None:
        super().__init__(os.fspath(directory), **options)
        self._values = ValueFilesSource(
            self.shown,
            priority=self.priority,
            name=f"{self.name} (values)",
            interpolate=self.interpolates,
            follow_links=self.follows_links,
            kind=self.kind,
            takes=lambda name: not self.takes(name),
        )

    def directories(self) -> list[str]:
        return [self.shown]

    def takes(self, name: str) -> bool:
        return bool(self.format_name or format_of(name))

    def values_in(self, directory: str, seen: Listing) -> list[Source]:  # noqa: ARG002 — there is one
        has_values = seen.is_volume and not all(map(self.takes, seen.names))
        return [self._values] if has_values else []
