"""The bytes of a file, whatever stands in its place."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from confbus_publisher.formats.limits import FILE_BYTES, Unfit

if TYPE_CHECKING:
    from pathlib import Path

_ATTEMPTS = 3


def read_content(path: Path, *, within: Path | None = None, most_bytes: int = FILE_BYTES) -> bytes | None:
    """What the regular file at `path` holds, or None when there is no such file. Never waits for anybody.

    Links are followed, but not out of the real directory `within`. Raises `Unfit` for what is no regular file,
    larger than `most_bytes`, unreadable, or written to meanwhile.
    """
    try:
        return _content(path, within, most_bytes)
    except (OSError, RuntimeError, ValueError) as failure:
        if isinstance(failure, Unfit):
            raise
        reason = getattr(failure, "strerror", None) or str(failure)
        raise Unfit(f"unreadable: {reason}", "Check the path and its permissions.") from failure


def _content(path: Path, within: Path | None, most_bytes: int) -> bytes | None:
    """A file that changes while it is read would give a part of the old and a part of the new; and one that is gone
    between two steps may only have moved on with a directory that was swapped. Both are tried again."""
    is_there = False
    for _ in range(_ATTEMPTS):
        try:
            content = _settled_content(_real(path, within), most_bytes)
        except FileNotFoundError:
            is_there = False
            continue
        if content is not None:
            return content
        is_there = True
    if is_there:
        raise Unfit("it is being written", "Replace it as a whole: write another file and rename it.")
    return None


def _real(path: Path, within: Path | None) -> Path:
    real = path.resolve(strict=True)
    if within is not None and not real.is_relative_to(within):
        advice = "Copy the file, or say `follow_links: true`."
        raise Unfit("it is a link that leads out of its directory", advice)
    return real


def _settled_content(path: Path, most_bytes: int) -> bytes | None:
    """None when it was written to meanwhile."""
    _refuse_what_is_no_file(path.stat())  # Before it is opened: that alone wakes a pipe's writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        _refuse_what_is_no_file(before)
        _refuse_what_is_large(before.st_size, most_bytes)
        content = file.read(before.st_size + 1)  # as much is set aside as is asked for
        after = os.fstat(descriptor)
    _refuse_what_is_large(len(content), most_bytes)
    is_settled = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
    return content if is_settled else None


def _refuse_what_is_no_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        what = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
        raise Unfit(f"it is {what}", "Name a file.")


def _refuse_what_is_large(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        bound = f"{most_bytes // 1024**2} MiB" if most_bytes >= 1024**2 else f"{most_bytes // 1024} KiB"
        raise Unfit(f"larger than {bound}", "Split it; a configuration is small.")
