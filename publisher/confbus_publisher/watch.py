"""Saying when sources may have changed: directory events for speed, a slow re-scan because events get lost.

Directories are watched, never files: an editor or a Kubernetes mount replaces the file, and with it the watch.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

RESCAN_S = 10.0
_log = logging.getLogger("confbus.publisher")


class Watcher:
    """Calls `changed` from its own thread after something happened in one of the directories, and every 10 s anyway.

    It tells no paths: whoever listens reads its sources again and compares contents. A directory that does not exist
    yet is watched through its nearest parent.
    """

    def __init__(self, directories: Callable[[], Iterable[Path]], changed: Callable[[], object]) -> None:
        self._directories = directories
        self._changed = changed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="confbus-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop and wait for the thread."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            directories = {_existing(directory) for directory in self._directories()}
            try:
                self._watch_some(directories)
            except (OSError, RuntimeError) as error:
                # The inotify limit, a directory that vanished just now: the re-scan carries on alone.
                _log.warning("watching failed, looking every %g s instead: %s", RESCAN_S, error)
                self._stop.wait(RESCAN_S)
            if not self._stop.is_set():
                self._changed()

    def _watch_some(self, directories: set[Path]) -> None:
        """Until the set of directories changes, stop is asked for, or the time for a re-scan has come."""
        if not directories:
            self._stop.wait(RESCAN_S)
            return
        from watchfiles import watch

        batches = watch(
            *sorted(directories),
            watch_filter=None,
            stop_event=self._stop,
            recursive=False,
            step=10,
            debounce=200,
            yield_on_timeout=True,
            rust_timeout=int(RESCAN_S * 1000),
            raise_interrupt=False,
        )
        for batch in batches:
            if not batch or {_existing(directory) for directory in self._directories()} != directories:
                return
            self._changed()


def _existing(directory: Path) -> Path:
    directory = directory.absolute()
    while not directory.is_dir() and directory != directory.parent:
        directory = directory.parent
    return directory
