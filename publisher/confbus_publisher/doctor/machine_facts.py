"""What this machine allows, and how files got into the directories of the sources."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROC = Path("/proc")
_SUBPATH = "/volume-subpaths/"


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """`most` and `used` are the inotify instances and watches of this user, by those words, as far as /proc tells.

    `mounts` are the files that are mounted by themselves, each with what of its file system it is. `installed` are the
    places where a confbus is installed, each with its version.
    """

    most: Mapping[str, int] = field(default_factory=dict[str, int])
    used: Mapping[str, int] = field(default_factory=dict[str, int])
    mounts: Mapping[Path, str] = field(default_factory=dict[Path, str])
    installed: Mapping[str, str] = field(default_factory=dict[str, str])


def look_around(proc: Path = PROC) -> MachineFacts:
    """The machine as this user sees it. What cannot be read is left out."""
    return MachineFacts(_limits(proc), _used(proc), file_mounts(_text(proc / "self" / "mountinfo")), _installed())


def file_mounts(mountinfo: str) -> dict[Path, str]:
    """The mounts in the text of a mountinfo that are no directory now."""
    found: dict[Path, str] = {}
    for line in mountinfo.splitlines():
        words = line.split(" ")
        if len(words) > 5:
            root, point = (_unescaped(word) for word in words[3:5])
            if os.path.isfile(point):  # noqa: PTH113 — that of Path raises where this user may not look
                found[Path(point)] = root
    return found


def is_subpath(root: str) -> bool:
    """True for what the kubelet mounts for a `subPath`."""
    return _SUBPATH in root


def _limits(proc: Path) -> dict[str, int]:
    texts = {name: _text(proc / "sys/fs/inotify" / f"max_user_{name}").strip() for name in ("instances", "watches")}
    return {name: int(text) for name, text in texts.items() if text.isdecimal()}


def _used(proc: Path) -> dict[str, int]:
    """What the processes of this user hold; the limits count all of them together."""
    notes = [text for process in _processes(proc) for text in _notes(process)]
    watches = sum(text.count("\ninotify wd:") for text in notes)
    return {"instances": len(notes), "watches": watches}


def _processes(proc: Path) -> Iterator[Path]:
    for process in proc.glob("[0-9]*"):
        with suppress(OSError):
            if process.stat().st_uid == os.geteuid():
                yield process


def _notes(process: Path) -> Iterator[str]:
    """What the kernel says of each inotify instance of a process."""
    with suppress(OSError):
        for link in (process / "fd").iterdir():
            with suppress(OSError):
                if str(link.readlink()) == "anon_inode:inotify":
                    yield _text(process / "fdinfo" / link.name)


def _installed() -> dict[str, str]:
    from importlib.metadata import distributions

    return {str(each.locate_file("")): each.version for each in distributions(name="confbus")}


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _unescaped(word: str) -> str:
    """A path as mountinfo has it: what would end the word stands there in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word)
