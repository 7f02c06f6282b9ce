"""Which files `${file:…}` may read: whoever can edit a configuration must not be able to read the whole machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.formats.limits import Unfit
from confbus_publisher.sources.value_file import read_value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class FileRoots:
    """The files below `roots`; relative names start at `base`."""

    def __init__(self, roots: Iterable[Path], *, base: Path) -> None:
        self._base = base.absolute()
        self._roots = tuple(dict.fromkeys((self._base / root).absolute() for root in roots))

    def __repr__(self) -> str:
        return f"FileRoots({', '.join(map(str, self._roots))})"

    def directories(self, name: str) -> tuple[Path, ...]:
        """Where something changes when the file does: its directory, and that of the file which it leads to now."""
        path = self._base / name
        try:
            return (path.parent, path.resolve().parent)
        except (OSError, RuntimeError, ValueError):  # Reading it says so.
            return (path.parent,)

    def read(self, name: str) -> str:
        """The text in the file, without one line break at its end.

        Raises `Unfit` for a file that is not below a root, also when only a link leads elsewhere, and for one that
        cannot be read; never with a piece of its content.
        """
        try:
            return read_value(self._real(name))
        except Unfit as unfit:
            raise Unfit(f"the file {name!r}: {unfit.reason}", unfit.advice) from None

    def _real(self, name: str) -> Path:
        path = self._base / name
        if not name or ".." in path.parts:
            raise Unfit("a path without .. is wanted", "Write the path of a file.")
        try:
            real = path.resolve()
            roots = [root.resolve() for root in self._roots]
        except (OSError, RuntimeError, ValueError):  # RuntimeError: links in a circle.
            raise Unfit("unreadable: its path leads nowhere", "Check the path and its links.") from None
        if not any(real.is_relative_to(root) for root in roots):
            shown = ", ".join(map(str, self._roots)) or "nothing"
            raise Unfit(f"it is not below {shown}", "Move it there, or name its directory in file_roots.")
        return real
