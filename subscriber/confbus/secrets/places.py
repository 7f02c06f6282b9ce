"""Secrets in variables and files of this machine: looked up in a moment, so nobody waits for them elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from confbus import small_file
from confbus.secrets.unresolved import Unresolved

MAX_BYTES = 1024 * 1024
_Mark = tuple[int, int, int, int]


class Variables:
    """`env:NAME`."""

    def read(self, name: str) -> str:
        """Raises `Unresolved`, for good: what a process does not have when it starts, it does not get."""
        value = os.environ.get(name)
        if value is None:
            raise Unresolved("the variable is not set here", is_final=True)
        return value


class Files:
    """`file:/run/secrets/name`. A file is read again when it is another one, or was written since."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[_Mark, str]] = {}

    def read(self, name: str) -> str:
        """The text in it, without one line break at its end. Raises `Unresolved` for a file that cannot be read, is no
        file, is larger than 1 MiB, or is empty: so is one that somebody is just writing."""
        try:
            known = self._known.get(name)
            if known is None or known[0] != _mark(Path(name).stat()):
                known = self._known[name] = _content(name)
        except OSError as error:
            raise Unresolved(f"the file is unreadable: {error.strerror or type(error).__name__}") from None
        except UnicodeDecodeError:
            raise Unresolved("the file holds no UTF-8 text") from None
        return known[1]


def _content(path: str) -> tuple[_Mark, str]:
    content, status = small_file.read(path, most_bytes=MAX_BYTES)
    text = content.decode()
    text = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
    if not text:
        raise Unresolved("the file is empty")
    return _mark(status), text


def _mark(status: os.stat_result) -> _Mark:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
