"""Another Python process that owns an embedded server, for tests of what the death of either leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import TracebackType

PROGRAM = """
import json, sys
from pathlib import Path
from confbus_publisher import embedded

directory = sys.argv[1]
server = embedded.attach_or_start(Path(directory)) if directory else embedded.start()
print(json.dumps([server.url, server.pid, server.owned]), flush=True)
sys.stdin.readline()
"""


class Owner:
    """A process with an embedded server, which waits and never calls `stop()`; a context manager.

    With `directory` the server is the one that keeps its data there, its own or another's. Owners start side
    by side; `ready()` waits, and fills in the attributes.
    """

    url: str
    server_pid: int
    owned: bool

    def __init__(self, directory: Path | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(directory or "")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ready(self) -> Self:
        """Wait until its server is up; gives this object."""
        assert self._process.stdout
        self.url, self.server_pid, self.owned = json.loads(self._process.stdout.readline())
        return self

    @property
    def home(self) -> Path:
        """The directory of the server's socket."""
        return Path(urlsplit(self.url).path).parent

    @property
    def group(self) -> int:
        """The process group of the server and its supervisors, while the server lives."""
        return os.getpgid(self.server_pid)

    def signal(self, number: int) -> None:
        """Send it a signal; returns when it is dead."""
        self._process.send_signal(number)
        self._process.wait()

    def finish(self) -> None:
        """Let it come to the end of its program; returns when it is dead."""
        self._process.communicate("\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
