"""The directory of a persistent embedded server: its data, the lock on them, and where the server is."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from confbus.errors import EmbeddedFailed
from confbus_publisher.embedded.identity import pid_at

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

ANNOUNCEMENT = "server.json"
_MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and as which process, since another one may listen there by now."""

    url: str
    pid: int


class DataDirectory:
    """`path`, made when it is missing, readable by its user alone."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @contextmanager
    def locked(self) -> Generator[int | None]:
        """The lock for a server to inherit, or None when another server has these data.

        It is held until the block is left and every process that inherited it is gone.
        """
        try:
            self._make()
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise EmbeddedFailed(f"its data cannot be kept in {self.path}: {error.strerror}") from error
        try:
            yield lock if _take(lock) else None
        finally:
            os.close(lock)

    def _make(self) -> None:
        if not self.path.is_dir():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.path / ".gitignore").write_text("*\n", encoding="utf-8")

    def announce(self, address: Address) -> None:
        """Tell other processes where the server is; call it with the lock held."""
        file = self.path / ANNOUNCEMENT
        draft = file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(address)) + "\n", encoding="utf-8")
        draft.replace(file)

    def live_address(self) -> Address | None:
        """The address of the server that has these data and answers, if there is one."""
        try:
            with (self.path / ANNOUNCEMENT).open("rb") as file:
                said: Any = json.loads(file.read(_MOST_BYTES))
            address = Address(url=str(said["url"]), pid=int(said["pid"]))
            return address if pid_at(address.url) == address.pid else None
        except (OSError, ValueError, LookupError, TypeError, RecursionError, OverflowError):
            return None  # none was announced, or not by us


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
