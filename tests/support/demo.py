"""`confbus demo` as another process, in a place of its own, so that whatever it leaves behind is seen."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from support.eventually import eventually
from support.processes import at_work_in, group, is_alive

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

PROGRAM = """
import fcntl, sys, termios
from confbus_publisher.cli import main

if sys.stdin.isatty():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
main()
"""


class Demo:
    """A running demo; a context manager. `said` is what was read of its stdout so far.

    With `terminal`, the descriptor of one, it has that for its own, and what it says is there to be read.
    """

    def __init__(self, *, stay: bool = False, terminal: int | None = None) -> None:
        # Sockets need short paths, and the place must be empty but for this demo.
        self.place = Path(tempfile.mkdtemp(prefix="cb-demo-", dir="/tmp"))
        self.said = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "demo", *(["--stay"] if stay else [])],
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE if terminal is None else terminal,
            stderr=subprocess.PIPE if terminal is None else terminal,
            start_new_session=terminal is not None,
            text=True,
            env=os.environ | {"XDG_RUNTIME_DIR": str(self.place), "TERM": "xterm"},
        )

    def read_until(self, text: str) -> str:
        """The first line from here on that has `text`."""
        for line in self.process.stdout or ():
            self.said += line
            if text in line:
                return line
        raise AssertionError(f"{text!r} was not said; but this was:\n{self.said}")

    def finish(self) -> tuple[int, str]:
        """Wait for its end; gives its exit code and what it wrote to stderr."""
        # Not communicate(): it would pass over what `read_until` has in its buffer.
        self.said += self.process.stdout.read() if self.process.stdout else ""
        errors = self.process.stderr.read() if self.process.stderr else ""
        return self.process.wait(), errors

    def end(self, signal: int) -> int:
        """Send it a signal, and wait for its end; gives its exit code."""
        self.process.send_signal(signal)
        return self.finish()[0]

    def pid(self, name: str) -> int:
        """The process that it introduced by that name."""
        found = re.search(rf"{name} +pid (\d+)", self.said)
        assert found, f"no {name} in:\n{self.said}"
        return int(found[1])

    def pids(self) -> set[int]:
        """Every process that it introduced, and the supervisors of its server."""
        return {int(pid) for pid in re.findall(r"pid (\d+)", self.said)} | self.supervisors()

    def supervisors(self) -> set[int]:
        server = self.pid("server")
        return group(os.getpgid(server)) - {server}

    def assert_leaves_nothing(self, *, of: Iterable[int] = ()) -> None:
        """Neither a process at work in its place, nor one `of` these, nor a file is there soon."""

        def left() -> object:
            files = [entry.name for entry in self.place.iterdir()]
            return at_work_in(self.place) or {pid for pid in of if is_alive(pid)} or files

        eventually(lambda: not left(), describe=left)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()
        shutil.rmtree(self.place, ignore_errors=True)
