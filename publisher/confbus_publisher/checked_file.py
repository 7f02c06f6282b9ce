"""A file that is read whole or not at all: written to a new file, synced, renamed, and told by a checksum."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from confbus.errors import Malformed
from confbus.wire import codec
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.sources.content import read_content

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 512 * 1024 * 1024


class CheckedFile:
    """One content at `path`, readable for its owner alone. `magic` is a line that says what is in it.

    `advice` is for people who find it damaged.
    """

    def __init__(self, path: Path, *, magic: bytes, advice: str) -> None:
        self.path = path
        self._magic = magic
        self._advice = advice

    def read(self) -> bytes | None:
        """The content; None when there is no file. Raises `Malformed` for one that is damaged, foreign, unreadable,
        larger than 512 MiB, or no file; it waits for nobody."""
        try:
            raw = read_content(self.path, most_bytes=MAX_BYTES)
        except Unfit as unfit:
            raise self.malformed(unfit.reason) from unfit.__cause__
        if raw is None:
            return None
        checksum, _, body = raw.removeprefix(self._magic).partition(b"\n")
        if not raw.startswith(self._magic) or codec.digest(body).encode() != checksum:
            raise self.malformed("its checksum does not fit")
        return body

    def write(self, body: bytes) -> None:
        """Write atomically; after a crash the old file or the new one is there, never a part.

        Raises `OSError`, also for a pipe or a device in its place.
        """
        if self.path.exists() and not (self.path.is_file() or self.path.is_dir()):
            raise OSError(errno.EEXIST, f"{self.path} is no file, and is not replaced by one")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        draft.unlink(missing_ok=True)
        # A new file: no link is followed that somebody put there who may write to the directory.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._magic + codec.digest(body).encode() + b"\n" + body)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def malformed(self, reason: str) -> Malformed:
        """The error about this file."""
        return Malformed(f"{self.path}", reason, advice=self._advice)
