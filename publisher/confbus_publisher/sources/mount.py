"""A directory of files, as people keep it, and as Docker and Kubernetes mount it.

The kubelet keeps the files of a volume in a directory of their own, to which the link `..data` leads, and swaps that
link; what is seen beside it are links through `..data`, made one by one. So only behind `..data` all is of one state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from pathlib import Path

_DATA = "..data"


@dataclass(frozen=True, slots=True)
class Listing:
    """What is in a directory: `names` in order, without what is hidden or an editor's own, to be read from `root`.

    `directory` is the real one, and nothing should lead out of it.
    """

    directory: Path
    root: Path
    names: tuple[str, ...]

    @property
    def is_volume(self) -> bool:
        """Whether Kubernetes mounted it."""
        return self.root != self.directory


def listing(directory: Path) -> Listing | None:
    """What is in `directory` now, or None when there is none. Raises `Unfit` when it cannot be read."""
    try:
        real = directory.resolve(strict=True)
        root = _root(real)
        names = tuple(sorted(path.name for path in root.iterdir() if not _is_ignored(path.name)))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise Unfit("it is no directory", "Name a directory.") from None
    except (OSError, RuntimeError) as failure:
        reason = getattr(failure, "strerror", None) or str(failure)
        raise Unfit(f"unreadable: {reason}", "Check the path and its permissions.") from failure
    return Listing(real, root, names)


def root_of(directory: Path) -> Path | None:
    """Where the files of `directory` are read from now; None when there is no telling."""
    try:
        return _root(directory.resolve(strict=True))
    except (OSError, RuntimeError):
        return None


def _root(real: Path) -> Path:
    data = real / _DATA
    return data.resolve(strict=True) if data.is_symlink() else real


def _is_ignored(name: str) -> bool:
    return name.startswith((".", "#")) or name.endswith(("~", ".swp"))
