"""A file that holds one value, as Docker and Kubernetes mount secrets."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1024 * 1024


def read_value(path: Path) -> str:
    """The text in the file at `path`, without one line break at its end.

    Raises `Unfit` when it cannot be read, is larger than 1 MiB, is no regular file or no UTF-8. Never waits for the
    writer of a pipe. Nothing of the content is told.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 — a descriptor, which must not be opened twice
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unfit("it is no regular file", "Name a file.")
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as failure:
        if isinstance(failure, Unfit):
            raise
        reason = getattr(failure, "strerror", None) or str(failure)
        raise Unfit(f"unreadable: {reason}", "Check the path and its permissions.") from None
    if len(content) > MOST_BYTES:
        raise Unfit(f"larger than {MOST_BYTES // 1024**2} MiB", "Name a file that holds one value.")
    try:
        text = content.decode()
    except UnicodeDecodeError as failure:
        raise Unfit(f"the byte at offset {failure.start} is no UTF-8", "Save it as UTF-8.") from None
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
