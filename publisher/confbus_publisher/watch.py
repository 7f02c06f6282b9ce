"""Saying when sources may have changed: directory events for speed, a slow re-scan because events get lost.

Directories are watched, never files: an editor or a Kubernetes mount replaces the file, and with it the watch. And
directories are replaced too, by a new mount or behind a link, which leaves the watch with the old one. So the watch
begins anew when an event names a watched directory itself, and when, twice a second, another one is found in its place.
"""

from __future__ import annotations

import logging
import stat
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

RESCAN_S = 10.0
_LOOK_S = 0.5
_log = logging.getLogger("confbus.publisher")
_Places = dict[Path, tuple[int, int]]


class Watcher:
    """Calls `changed` from its own thread after something happened in one of the directories, and every 10 s anyway.

    It tells no paths: whoever listens reads its sources again and compares contents. A directory that does not exist
    yet is watched through its nearest parent; one that is replaced is found again within a second.
    """

    def __init__(
        self,
        directories: Callable[[], Iterable[Path]],
        changed: Callable[[], object],
        *,
        rescan_s: float = RESCAN_S,
    ) -> None:
        self._directories = directories
        self._changed = changed
        self._rescan_s = rescan_s
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
            try:
                self._watch_some(self._places())
            except FileNotFoundError:
                self._stop.wait(_LOOK_S)  # A directory vanished before the watch began.
            except (OSError, RuntimeError) as error:
                # The inotify limit: the re-scan carries on alone.
                _log.warning("watching failed, looking every %g s instead: %s", self._rescan_s, error)
                self._stop.wait(self._rescan_s)
            if not self._stop.is_set():
                self._changed()

    def _watch_some(self, places: _Places) -> None:
        """Until other directories stand at the places, stop is asked for, or the time for a re-scan has come."""
        if not places:
            self._stop.wait(self._rescan_s)
            return
        from watchfiles import watch

        batches = watch(
            *sorted(places),
            watch_filter=None,
            stop_event=self._stop,
            recursive=False,
            step=10,
            debounce=200,
            yield_on_timeout=True,
            rust_timeout=int(_LOOK_S * 1000),
            raise_interrupt=False,
        )
        until = time.monotonic() + self._rescan_s
        is_new = True  # What happened before the watch began was told to nobody.
        for batch in batches:
            if self._places() != places or time.monotonic() >= until:
                return
            if any(Path(path) in places for _, path in batch):
                return  # Gone and made anew, it may well have the same number.
            if batch or is_new:
                self._changed()
            is_new = False

    def _places(self) -> _Places:
        """The directories to watch, and which ones stand there now."""
        places: _Places = {}
        for directory in self._directories():
            path, status = _existing(directory)
            places[path] = (status.st_dev, status.st_ino)
        return places


def _existing(directory: Path) -> tuple[Path, os.stat_result]:
    """The directory, or the nearest parent that is there."""
    for path in (directory.absolute(), *directory.absolute().parents):
        with suppress(OSError):
            status = path.stat()
            if stat.S_ISDIR(status.st_mode):
                return path, status
    raise FileNotFoundError(directory)
