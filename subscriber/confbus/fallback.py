"""The last known good on disk: what a process runs when it starts while Redis is away.

One file holds the release that ran last, as its blobs came, under a checksum. It is replaced as a whole, never written
in place, and only its owner may read it. Its modification time says when the release was last known to be the newest.
"""

from __future__ import annotations

import _thread
import errno
import os
import stat
import time

from confbus.errors import Malformed
from confbus.wire import codec
from confbus.wire import head as heads
from confbus.wire.manifest import Manifest
from confbus.wire.record import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from confbus.wire.head import Head

MAX_BYTES = 512 * 1024 * 1024
_MAGIC = b"confbus last known good, 1\n"
_SUM = 64
_PACE_S = 1.0
_PATIENCE_S = 5.0
_CONFIRM_S = 15.0
_LEFT_OVER_S = 3600.0
_SKEW_S = 60.0
_NEVER = float("inf")
_FOREIGN = "it is of the namespace"
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@record(frozen=True, slots=True)
class LastGood:
    """A release that ran: the head it was applied for, its blobs by section, when it was published (Unix
    milliseconds), and how long ago it was last known to be the newest (seconds)."""

    head: Head
    manifest: Manifest
    blobs: Mapping[str, bytes] = field(repr=False)
    at_ms: int
    age_s: float = 0.0


class Fallback:
    """The file of one process, or of several that follow the same namespace: whoever writes last wins, and what is
    there is always whole. Writing happens in a thread of its own, at most once a second, and never raises."""

    def __init__(self, path: str, namespace: str) -> None:
        self.path = path
        self.error = ""
        self._namespace = namespace
        self._kept: LastGood | None = None
        self._confirmed_at = 0.0
        self._thread = _thread.allocate_lock()  # held as long as there is one
        self._disk = _thread.allocate_lock()

    def load(self) -> LastGood | None:
        """What is there, or None when nothing is. Raises `Malformed` for a file that must not be believed: damaged, of
        another namespace, somebody else's, or not to be read."""
        try:
            raw, verified_at = self._read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._malformed(error.strerror or type(error).__name__) from None
        if not raw.startswith(_MAGIC):
            raise self._malformed("it was not written by this version of confbus")
        start = len(_MAGIC) + _SUM
        content = raw[start:]
        if codec.digest(content).encode() != raw[len(_MAGIC) : start]:
            raise self._malformed("it is damaged: it does not have its checksum")
        age_s = time.time() - verified_at
        # A time to come says nothing: the clock was set back since.
        return self._unpacked(codec.unpack(content, what=self._what()), max(0.0, age_s) if age_s > -_SKEW_S else _NEVER)

    def keep(self, good: LastGood) -> None:
        """Have `good` written soon, in place of what was to be written before; returns at once."""
        self._kept = good
        if self._thread.acquire(blocking=False):
            try:
                _thread.start_new_thread(self._write_on, ())
            except RuntimeError:  # no more threads: the next release tries again, and `flush` at the end
                self._thread.release()

    def confirm(self) -> None:
        """What runs was just seen to be the newest: remember the time, though not each time, and not for an older
        release that is there since this one cannot be written."""
        now = time.monotonic()
        is_there = self._kept is None and not self._disk.locked() and not self.error
        if is_there and now - self._confirmed_at > _CONFIRM_S:
            self._confirmed_at = now
            try:
                os.utime(self.path)
            except OSError:
                return  # somebody took it away

    def flush(self) -> None:
        """Write what still waits, and wait for what is being written."""
        if self._disk.acquire(timeout=_PATIENCE_S):
            try:
                self._write_kept()
            finally:
                self._disk.release()

    def renewed(self) -> Fallback:
        """The same file in a forked child, where no thread of the parent writes."""
        renewed = Fallback(self.path, self._namespace)
        renewed.error = self.error
        return renewed

    def _write_on(self) -> None:
        try:
            while self._kept is not None:
                self.flush()
                time.sleep(_PACE_S)
        finally:
            self._thread.release()
        if self._kept is not None:  # it came while this one was about to end
            self.keep(self._kept)

    def _write_kept(self) -> None:
        good, self._kept = self._kept, None
        if good is None:
            return
        try:
            if not self._has_newer(good.head):
                self._write(_packed(self._namespace, good))
            problem = ""
        except OSError as error:
            problem = f"{self._what()} cannot be written: {error.strerror or type(error).__name__}"
        if problem and problem != self.error:
            import logging

            logging.getLogger("confbus").warning("%s; a start without Redis would find an older release", problem)
        self.error = problem

    def _has_newer(self, head: Head) -> bool:
        """True when another process wrote a later head of the same epoch meanwhile."""
        try:
            found = self.load()
        except Malformed as error:
            if error.reason.startswith(_FOREIGN):
                raise OSError(errno.EEXIST, f"{error.reason}; each needs a file of its own") from None
            return False
        return found is not None and found.head.epoch == head.epoch and found.head.revision > head.revision

    def _write(self, content: bytes) -> None:
        if _is_special(self.path):
            raise OSError(errno.EEXIST, "it is no file, and is not replaced by one")
        folder, name = os.path.split(os.path.abspath(self.path))  # noqa: PTH100 — pathlib takes as long as reading
        _remove_left_overs(folder, name)
        new = os.path.join(folder, f".{name}.{os.urandom(4).hex()}.new")  # noqa: PTH118
        # A new name, by itself and for its owner alone: no link that somebody put there is followed.
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o600)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.replace(new, self.path)  # noqa: PTH105
        except BaseException:
            os.unlink(new)  # noqa: PTH108
            raise

    def _read(self) -> tuple[bytes, float]:
        # Without waiting: a pipe in its place would have no end.
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            os.close(descriptor)  # of a directory Python makes no file, and would leave it open
            raise self._malformed("it is no file")
        with os.fdopen(descriptor, "rb") as file:
            if facts.st_uid not in {0, os.geteuid()} or facts.st_mode & _OTHERS_MAY_WRITE:
                raise self._malformed("others may have written it")
            if facts.st_size > MAX_BYTES:
                raise self._malformed("it is too large")
            return file.read(facts.st_size + 1), facts.st_mtime  # as much is set aside as is asked for

    def _unpacked(self, facts: Any, age_s: float) -> LastGood:
        try:
            namespace, head, at_ms = facts["namespace"], heads.parse(facts["head"]), max(0, int(facts["at"]))
            sections: dict[str, tuple[str, bytes]] = facts["sections"]
            if not all(map(_is_section, sections.items())):
                raise TypeError  # noqa: TRY301 — told below, as whatever else is wrong with it
            # The checksum of the file vouches for the blobs: they need not be hashed again.
            manifest = Manifest({name: digest for name, (digest, _) in sections.items()})
            good = LastGood(head, manifest, {name: blob for name, (_, blob) in sections.items()}, at_ms, age_s)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._malformed(f"it is none ({type(error).__name__})") from None
        if namespace != self._namespace:
            raise self._malformed(f"{_FOREIGN} {str(namespace)[:100]!r}")
        if manifest.digest != head.digest:
            raise self._malformed("its content is not what its head names")
        return good

    def _what(self) -> str:
        return f"the fallback {self.path}"

    def _malformed(self, reason: str) -> Malformed:
        return Malformed(self._what(), reason)


def _is_special(path: str) -> bool:
    """Whether a pipe or a device is there: root may replace even /dev/null."""
    try:
        kind = stat.S_IFMT(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False
    return kind not in {stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR}


def _is_section(item: Any) -> bool:
    name, (digest, blob) = item
    return isinstance(name, str) and isinstance(digest, str) and isinstance(blob, bytes)


def _packed(namespace: str, good: LastGood) -> bytes:
    digests = good.manifest.sections
    content = codec.pack(
        {
            "namespace": namespace,
            "head": good.head.fields(),
            "at": good.at_ms,
            "sections": {name: (digests[name], blob) for name, blob in good.blobs.items()},
        }
    )
    return b"".join((_MAGIC, codec.digest(content).encode(), content))


def _remove_left_overs(folder: str, name: str) -> None:
    """What processes left that were killed while they wrote."""
    for entry in os.scandir(folder):
        if entry.name.startswith(f".{name}.") and entry.name.endswith(".new"):
            try:
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > _LEFT_OVER_S:
                    os.unlink(entry.path)  # noqa: PTH108
            except OSError:
                continue
