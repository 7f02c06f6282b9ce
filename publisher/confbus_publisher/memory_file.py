"""The publisher's memory on disk: the last state of the head it saw, so that a loss of Redis can be undone.

Written whole to a new file, synced, then renamed over the old one; a checksum tells a torn or altered file.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from confbus.errors import Malformed
from confbus.wire import codec
from confbus.wire import head as heads
from confbus.wire import release as releases
from confbus_publisher.ledger import State

if TYPE_CHECKING:
    from pathlib import Path

    from confbus.wire.head import Head

_MAGIC = b"confbus memory 1\n"
_log = logging.getLogger("confbus.publisher")


class MemoryFile:
    """One namespace's memory at `path`. `accounted` is the digest of the publisher's own last merge, or empty."""

    _kept: tuple[Head | None, str | None] = (None, None)

    def __init__(self, path: Path, namespace: str) -> None:
        self.path = path
        self._namespace = namespace

    def recall(self) -> tuple[State | None, str | None]:
        """The state and `accounted` as far as they can be had; a file that is damaged or unreadable is logged."""
        try:
            state, accounted = self.load()
        except (Malformed, OSError) as error:
            _log.warning("%s", error)
            return None, None
        return state, accounted or None

    def keep(self, state: State, accounted: str | None) -> None:
        """Save what is new. A full disk is logged and tried again with the next change, not fatal."""
        if self._kept == (state.head, accounted):
            return
        try:
            self.save(state, accounted or "")
            self._kept = (state.head, accounted)
        except OSError as error:
            _log.warning("the memory file was not written: %s", error)

    def load(self) -> tuple[State | None, str]:
        """The state and `accounted`; (None, "") when there is no file. Raises `Malformed` for a damaged or foreign
        one."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None, ""
        checksum, _, body = raw.removeprefix(_MAGIC).partition(b"\n")
        if not raw.startswith(_MAGIC) or codec.digest(body).encode() != checksum:
            raise self._malformed("its checksum does not fit")
        facts = codec.unpack(body, what=str(self.path))
        try:
            if facts["namespace"] != self._namespace:
                raise self._malformed(f"it belongs to namespace {facts['namespace']!r}")
            release = releases.parse(facts["release"])
            state = State(heads.parse(facts["head"]), release, facts["blobs"], facts["quarantine"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, Malformed):
                raise
            raise self._malformed(type(error).__name__) from None
        return state, str(facts["accounted"])

    def save(self, state: State, accounted: str) -> None:
        """Write atomically; after a crash the old file or the new one is there, never a part. Raises `OSError`."""
        facts: dict[str, Any] = {
            "namespace": self._namespace,
            "head": state.head.fields(),
            "release": state.release.fields(),
            "blobs": dict(state.blobs),
            "quarantine": dict(state.quarantine),
            "accounted": accounted,
        }
        body = codec.pack(facts)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_MAGIC + codec.digest(body).encode() + b"\n" + body)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def _malformed(self, reason: str) -> Malformed:
        return Malformed(f"{self.path}", reason, advice="Move it away; the publisher then knows no past.")
