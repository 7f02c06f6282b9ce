"""All files that a pattern matches as sources: `conf.d/*.yaml`."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from confbus.errors import InvalidSettings
from confbus_publisher.formats.format import FORMATS, format_of
from confbus_publisher.sources.file_group import FileGroup
from confbus_publisher.sources.mount import listing

if TYPE_CHECKING:
    from confbus_publisher.sources.file_group import FileOptions


def is_pattern(text: str) -> bool:
    """Whether `text` stands for more than the one file of that name."""
    return any(mark in text for mark in "*?[")


class GlobSource(FileGroup):
    """The files that `pattern` matches, in the order of their paths; see `FileGroup`.

    `*`, `?` and `[…]` match within one level, and nothing that is hidden. A relative pattern is bound to the directory
    in which the process is now. Raises `InvalidSettings` when it does not say of which format the files are.
    """

    def __init__(self, pattern: str, **options: Unpack[FileOptions]) -> None:
        super().__init__(pattern, **options)
        *self._levels, self._last = Path(pattern).parts or ("",)
        if "**" in Path(pattern).parts:
            raise InvalidSettings(pattern, "** is not known here", advice="Write a * for each level.")
        if (self.format_name or format_of(self._last)) not in FORMATS:
            advice = f"End it in a suffix, as in conf.d/*.yaml, or give one of {', '.join(FORMATS)}."
            raise InvalidSettings(pattern, "it does not say of which format the files are", advice=advice)

    @property
    def watched(self) -> tuple[Path, ...]:
        """Also the directories in which others may come up that the pattern matches."""
        above = [
            self.path(str(directory))
            for depth, level in enumerate(self._levels)
            if is_pattern(level)
            for directory in self._matching(self._levels[:depth])
        ]
        return tuple(dict.fromkeys([*above, *super().watched]))

    def directories(self) -> list[str]:
        return [str(directory) for directory in self._matching(self._levels)]

    def takes(self, name: str) -> bool:
        return fnmatch.fnmatchcase(name, self._last)

    def _matching(self, levels: list[str]) -> list[Path]:
        """The directories that the levels lead to; those without a mark need not exist."""
        found = [Path()]
        for level in levels:
            if is_pattern(level):
                found = [inner for directory in found for inner in self._inner(directory, level)]
            else:
                found = [directory / level for directory in found]
        return found

    def _inner(self, directory: Path, level: str) -> list[Path]:
        seen = listing(self.path(str(directory)))
        names = fnmatch.filter(seen.names, level) if seen else []
        return [directory / name for name in names if self.path(str(directory / name)).is_dir()]
