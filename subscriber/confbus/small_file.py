"""A small file, a password or a key, read whole or not at all: whatever stands in its place, nobody waits for it."""

from __future__ import annotations

import errno
import os
import stat


def read(path: str | os.PathLike[str], *, most_bytes: int) -> tuple[bytes, os.stat_result]:
    """The bytes of the file at `path`, and its status. Links are followed.

    Raises `OSError`, with the reason in `strerror`, for one that cannot be read, is no regular file, has more than
    `most_bytes`, or is written to meanwhile.
    """
    # Without waiting: a pipe in its place would have no end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _unfit(errno.EINVAL, "it is no file", path)
        content = _content(descriptor, most_bytes)
        if len(content) > most_bytes:
            raise _unfit(errno.EFBIG, f"it has more than {most_bytes:,} bytes", path)
        if _age(os.fstat(descriptor)) != _age(status):
            raise _unfit(errno.EAGAIN, "it is just being written", path)
    finally:
        os.close(descriptor)
    return content, status


def _content(descriptor: int, most_bytes: int) -> bytes:
    """All of it, or one byte more than there may be."""
    content = b""
    while len(content) <= most_bytes and (part := os.read(descriptor, most_bytes + 1 - len(content))):
        content += part
    return content


def _age(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _unfit(number: int, reason: str, path: str | os.PathLike[str]) -> OSError:
    return OSError(number, reason, os.fspath(path))
