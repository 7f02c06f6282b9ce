"""The processes of the demo: started together, listened to together, and gone together.

Each holds on to the demo by a pipe (`leash`), and the sample's directory belongs to the embedded server, whose
supervisors remove it: so nothing is left, whichever process is killed first.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from typing import IO, TYPE_CHECKING, Self, TypeVar, cast

from confbus.errors import ConfBusError
from confbus_publisher.embedded.binary import find_binary
from confbus_publisher.embedded.home import new_home
from confbus_publisher.embedded.process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

T = TypeVar("T")
GRACE_S = 2.0
_STEP_S = 0.02


class BrokenOff(ConfBusError):
    """The story cannot go on: a process ended, or something did not happen in time."""


class Child:
    """One Python process of the demo, with stdout and stderr in one pipe."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.pid = process.pid
        self.process = process
        self.out = cast("IO[bytes]", process.stdout)
        self._lines: deque[str] = deque(maxlen=1000)
        self._rest = b""

    def ask(self) -> None:
        """Send it a line; nothing happens when it is gone."""
        try:
            cast("IO[bytes]", self.process.stdin).write(b"\n")
        except BrokenPipeError:
            return

    def hear(self) -> bool:
        """Take in what it says now; False when it has ended."""
        said = os.read(self.out.fileno(), 65536)
        *lines, self._rest = (self._rest + said).split(b"\n")
        self._lines += [line.decode(errors="replace") for line in lines]
        return bool(said)

    def take(self) -> list[str]:
        """The lines that it said since the last call."""
        lines = list(self._lines)
        self._lines.clear()
        return lines

    def end(self) -> None:
        """Wait for it, and kill it when it does not come to its end by itself."""
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.out):
            cast("IO[bytes]", pipe).close()


class Processes:
    """An embedded server, and the children that `start` adds; a context manager that leaves none of them."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self.server = ServerProcess(find_binary(), home=new_home(), settings={})
        self._held, self._leash = os.pipe()

    @property
    def home(self) -> Path:
        """The server's own directory; what is put there goes with it."""
        return self.server.home

    def start(
        self, name: str, program: str, *arguments: str, within: Path, environment: Mapping[str, str] | None = None
    ) -> Child:
        """Call MODULE:FUNCTION on a leash, in a process of its own that works in `within`."""
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.leash", str(self._held), program, *arguments],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=within,
            env=environment,
            pass_fds=(self._held,),
            start_new_session=True,  # Ctrl-C is for the demo
        )
        child = Child(name, process)
        self.children.append(child)
        self._selector.register(child.out, selectors.EVENT_READ, child)
        return child

    def listen(self, seconds: float) -> None:
        """Take in what the children say, for that long. Raises `BrokenOff` when a process ended."""
        until = time.monotonic() + seconds
        while True:
            for key, _ in self._selector.select(max(0.0, min(until - time.monotonic(), _STEP_S))):
                child = cast("Child", key.data)
                if not child.hear():
                    raise BrokenOff(_last_words(child))
            if not self.server.is_running:
                raise BrokenOff(f"The server (pid {self.server.pid}) ended.")
            if time.monotonic() >= until:
                return

    def until(self, check: Callable[[], T | None], awaited: str, *, within_s: float = 10.0) -> T:
        """What `check` returns as soon as that is not None. Raises `BrokenOff` when it does not come in time."""
        deadline = time.monotonic() + within_s
        while True:
            self.listen(0)
            found = check()
            if found is not None:
                return found
            if time.monotonic() >= deadline:
                raise BrokenOff(f"{awaited} did not come within {within_s:g} s.")
            self._selector.select(_STEP_S)

    def close(self) -> None:
        """End everything; returns when nothing is left."""
        os.close(self._leash)
        for child in self.children:
            child.end()
        # While the supervisors still live: they would finish it if this process were killed right now.
        shutil.rmtree(self.home, ignore_errors=True)
        self.server.stop()
        self._selector.close()
        os.close(self._held)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _last_words(child: Child) -> str:
    code = child.process.wait()
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    talk = [line for line in child.take() if line.strip() and not line.startswith("{")]
    return f"{child.name} (pid {child.pid}) {how}{': ' + talk[-1] if talk else ''}."
