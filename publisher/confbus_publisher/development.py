"""`file:` URLs: a worker that reads files without any server, for development.

    file:config/app.yaml    one file            file:config/    a directory of them
    file:confbus.yaml       the sources, rules and checks of a settings file

What the files say is merged and checked as by any publisher, and published into a server in the memory of the process.
It is at work while a worker of this process is connected.
"""

from __future__ import annotations

import os
import threading
import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from confbus.connection import ErrorReply
from confbus.dial import Dial
from confbus.errors import InvalidSettings
from confbus.memory import MemoryServer
from confbus.memory.change import commands
from confbus.wire.notice import HINT
from confbus_publisher import opening, standing
from confbus_publisher.expansion.file_roots import FileRoots
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.manager.forgetful import Forgetful
from confbus_publisher.publisher import Publisher
from confbus_publisher.settings import DOCUMENT_LIMIT_BYTES, load_settings
from confbus_publisher.sources.directory import DirectorySource
from confbus_publisher.sources.file import FileSource
from confbus_publisher.sources.value_file import SECRETS
from confbus_publisher.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.memory.connection import MemoryConnection
    from confbus.wire.keys import Keys
    from confbus_publisher.ledger.store import Commit

_places: weakref.WeakValueDictionary[tuple[Path, Keys], FileServer] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def dial(url: str, keys: Keys) -> Dial:
    """The way to what the files at `url` say, as the namespace of `keys`. Raises `InvalidSettings`."""
    path = path_of(url)
    with _lock:
        server = _places.get((path, keys))
        if server is None:
            server = _places[path, keys] = FileServer(inputs_of(path), keys)
    return Dial((url, keys), url, keys.database, server.open)


def path_of(url: str) -> Path:
    """The path in a `file:` URL: relative to the current directory, or absolute as in `file:///etc/app.yaml`."""
    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"} or not parts.path:
        reason = "it names another machine" if parts.netloc else "it names no file"
        raise InvalidSettings(f"the URL {url}", reason, advice="Write file:config/app.yaml or file:///etc/app.yaml.")
    return Path(unquote(parts.path) if url.startswith("file://") else url.removeprefix("file:")).absolute()


def inputs_of(path: Path) -> Inputs:
    """The sources that `path` stands for, not read yet. Raises `InvalidSettings`."""
    if path.name == opening.SETTINGS_FILE:
        return opening.inputs_of(load_settings(path), is_dry=True, is_shared=False)
    # A name with a suffix is a file, also before it is there.
    kind: Any = DirectorySource if path.is_dir() or not path.suffix else FileSource
    source = kind(path, priority=0, name=str(path), interpolate=True)
    base = path if kind is DirectorySource else path.parent
    files = FileRoots((SECRETS, base), base=base)
    return Inputs([source], limit_bytes=DOCUMENT_LIMIT_BYTES, files=files, is_shared=False)


class FileServer(MemoryServer):
    """A server in memory that says what files say. While they say nothing that can be published, it answers who asks
    for the head with the reason, so that a worker keeps what it has, and its status says why (it is `reconnecting`)."""

    def __init__(self, inputs: Inputs, keys: Keys) -> None:
        super().__init__()
        self._keys = keys
        self._trouble = ""
        self._store = _MirroredStore(self, keys)
        ledger = Ledger(self._store)
        self._publisher = Publisher(inputs, ledger, Forgetful(), identity=opening.identity(), author="file")
        self._at_work: _Work | None = None

    def attach(self, connection: MemoryConnection) -> None:
        with self._guard:
            super().attach(connection)
            before = self._at_work
            if before is not None and before.is_going_on:
                return
            if before is not None and before.is_of_parent:
                self._store.renew()
            self._at_work = _Work(self._publisher, self._told, after=before)

    def detach(self, connection: MemoryConnection) -> None:
        with self._guard:
            super().detach(connection)
            if self._at_work is not None and not self._connections:
                self._at_work.stop()

    def _told(self) -> None:
        """Take note of where the publisher stands; on news workers look."""
        stands = self._publisher.standing
        reasons = [stands.why] if stands.state in {standing.REFUSED, standing.LOST} else []
        trouble = "; ".join(dict.fromkeys([*reasons, *stands.failures.values()]))
        if trouble != self._trouble:
            self._trouble = trouble
            self.execute(("PUBLISH", self._keys.notices, HINT))

    def _reply(self, command: list[bytes]) -> Any:
        if self._trouble and command[0].upper() == b"HGETALL" and command[1:] == [self._keys.head.encode()]:
            return ErrorReply(self._trouble)
        return super()._reply(command)


class _MirroredStore(MemoryStore):
    """What is committed here can be read from `server`."""

    def __init__(self, server: MemoryServer, keys: Keys) -> None:
        super().__init__()
        self._server = weakref.ref(server)
        self._keys = keys

    def commit(self, commit: Commit) -> str:
        said = super().commit(commit)
        server = self._server()
        if server is not None:
            put = partial(commands, release=commit.release, blobs=commit.blobs)
            server.execute(*put(self._keys, commit.head, commit.notice, dropped=commit.dropped, freed=commit.freed))
        return said

    def renew(self) -> None:
        """In a forked child: whatever a thread of the parent held is nobody's now."""
        self._lock = threading.Lock()


class _Work:
    """A publisher at work in a thread, woken by its files. `told` is called after each turn. It begins when the work
    `after` which it comes has ended: a publisher belongs to one thread."""

    def __init__(self, publisher: Publisher, told: Callable[[], None], *, after: _Work | None) -> None:
        self._pid = os.getpid()
        self._publisher = publisher
        self._told = told
        self._before: threading.Thread | None = after.thread if after is not None and not after.is_of_parent else None
        self._wakes = threading.Event()
        self._is_stopping = False
        self.thread: threading.Thread = threading.Thread(target=self._run, name="confbus-files", daemon=True)
        self.thread.start()

    @property
    def is_of_parent(self) -> bool:
        """True in a forked child, where its thread is none."""
        return self._pid != os.getpid()

    @property
    def is_going_on(self) -> bool:
        return not self._is_stopping and not self.is_of_parent

    def stop(self) -> None:
        """End soon. Nobody waits for it: whoever closes may hold what it needs."""
        self._is_stopping = True
        if not self.is_of_parent:
            self._wakes.set()

    def _run(self) -> None:
        if self._before is not None:
            self._before.join()
        self._publisher.inputs.listen(self._wakes.set)
        watcher = Watcher(lambda: self._publisher.inputs.watched, self._wakes.set)
        watcher.start()
        while not self._is_stopping:
            again_s = self._publisher.turn()
            self._told()
            self._wakes.wait(again_s)
            self._wakes.clear()
        watcher.stop()
