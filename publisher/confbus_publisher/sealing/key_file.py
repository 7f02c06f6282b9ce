"""The keyring of a publisher on disk: read when it changed, and replaced whole by whoever makes or rotates keys.

Only its owner may read it, and a group that it is lent to, as in a mounted volume.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from typing import TYPE_CHECKING

from confbus import keyring, small_file
from confbus.errors import InvalidSettings, Malformed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from confbus.keyring import Keyring

_WIDER = 0o037


class KeyFile:
    """The keyring at `path`. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, ...], Keyring] | None = None

    def __repr__(self) -> str:
        return f"KeyFile({str(self.path)!r})"

    def ring(self) -> Keyring | None:
        """What the file says now: the very same object while it did not change, None when there is no file.

        Raises `InvalidSettings` for one that others may read, that belongs to somebody else, or that is no keyring.
        """
        try:
            if self._read is not None and _mark(self.path.stat()) == self._read[0]:
                return self._read[1]
            raw, status = small_file.read(self.path, most_bytes=keyring.MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as failure:
            advice = "Name the keyring itself, and let the publisher read it."
            raise self._refuse(f"unreadable: {failure.strerror}", advice) from None
        self._refuse_open(status)
        self._read = (_mark(status), self._parsed(raw))
        return self._read[1]

    @contextlib.contextmanager
    def alone(self) -> Generator[None]:
        """While this is held, no other process changes the file. Raises `InvalidSettings`."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as failure:
            raise self._refuse(f"its directory: {failure.strerror}", "Choose another place with `keys:`.") from None
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)

    def write(self, ring: Keyring) -> None:
        """Replace the file by `ring`, whole, with mode 600; after a crash the old one is there, or the new one.

        Raises `InvalidSettings`, also for a link: what it leads to belongs to somebody who has to know.
        """
        if self.path.is_symlink():
            raise self._refuse("it is a symbolic link, which a new keyring would replace", "Name the file itself.")
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        try:
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(ring.text())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
            _sync(self.path.parent)
        except OSError as failure:
            draft.unlink(missing_ok=True)
            reason = f"the keyring was not written: {failure.strerror}"
            raise self._refuse(reason, "The old one stays; make room or mend the directory.") from None

    def _refuse_open(self, status: os.stat_result) -> None:
        mode = stat.S_IMODE(status.st_mode)
        if mode & _WIDER:
            raise self._refuse(f"others may use it (mode {mode:o})", f"chmod 600 {self.path}")
        if os.geteuid() not in {0, status.st_uid} and status.st_uid != 0:
            raise self._refuse(f"it belongs to somebody else (uid {status.st_uid})", "Make it your own.")

    def _parsed(self, raw: bytes) -> Keyring:
        try:
            return keyring.parse(raw.decode(), what="it")
        except UnicodeDecodeError:
            raise self._refuse("it is no text", "`confbus keys generate` makes one.") from None
        except Malformed as error:
            raise self._refuse(error.reason.rstrip("."), error.advice) from None

    def _refuse(self, reason: str, advice: str) -> InvalidSettings:
        return InvalidSettings(f"the keyring {self.path}", reason, advice=advice)


def _mark(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
