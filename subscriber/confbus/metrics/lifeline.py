"""Which processes live, among those whose numbers stand in files: each holds a lock on a file of its own.

The kernel takes such a lock away however a process ends, and never gives it to a child. So whoever finds a file without
one knows that its owner is dead, and takes its gauges away: killed workers leave none behind, whatever the server does.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SWEEP_S = 1.0
_NAME = "confbus_{}.lock"


class Lifeline:
    """That of this process in `folder`. Not for two threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pid = 0
        self._held = -1
        self._swept_at = 0.0

    def keep(self) -> None:
        """Hold on, and now and then look for those who do not."""
        if self._pid != os.getpid():
            self._hold()
        if time.monotonic() - self._swept_at >= SWEEP_S:
            self._swept_at = time.monotonic()
            self._sweep()

    def _hold(self) -> None:
        if self._held >= 0:
            os.close(self._held)  # the parent's lock does not end of this
        self._pid, self._swept_at = os.getpid(), 0.0
        path = self._folder / _NAME.format(self._pid)
        draft = path.with_suffix(".draft")
        self._held = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.lockf(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.replace(path)  # under this name, nobody ever sees it without its lock

    def _sweep(self) -> None:
        for path in self._folder.glob(_NAME.format("*")):
            pid = path.stem.partition("_")[2]
            if pid != str(self._pid):  # to open and close one's own is to let it go
                self._bury(path, pid)

    def _bury(self, path: Path, pid: str) -> None:
        from prometheus_client import multiprocess

        try:
            found = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # somebody else was faster, or it belongs to another user
            return
        try:
            fcntl.lockf(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):  # another one buries it as well
                multiprocess.mark_process_dead(pid, str(self._folder))
                path.unlink()
        except OSError:  # its owner lives
            return
        finally:
            os.close(found)
