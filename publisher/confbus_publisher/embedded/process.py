"""One server process from its start to its end, under the supervision of `supervise.sh`."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import quote

from confbus.errors import EmbeddedFailed
from confbus_publisher.embedded.home import SOCKET, configuration
from confbus_publisher.embedded.identity import pid_at

if TYPE_CHECKING:
    from collections.abc import Mapping

SUPERVISE = Path(__file__).with_name("supervise.sh")
READY_WITHIN_S = 30.0  # a large append-only file takes its time; a server that dies is noticed at once
GRACE_S = 5  # for writing out what it keeps; then it is killed


class ServerProcess:
    """A running server that answers when the constructor returns, and that ends when its owner does.

    The owner is the process that made it, and whatever was forked from that: the last of them counts.
    `home` comes and goes with the server. `lock`, a file descriptor, stays open until the last of the server's
    processes is gone; a server with a lock keeps data, and gets the time to write them when it is stopped.
    `log` is begun anew; without it the log is not kept. Raises `EmbeddedFailed` with the log's last lines.
    """

    def __init__(
        self,
        binary: Path,
        *,
        home: Path,
        settings: Mapping[str, str],
        log: Path | None = None,
        lock: int | None = None,
    ) -> None:
        self.home = home
        self.socket_url = f"unix://{quote(str(home / SOCKET))}?db=0"
        self._binary = binary
        self._keeps_data = lock is not None
        self._owner = os.getpid()
        with log.open("w+b") if log else tempfile.TemporaryFile() as lines:
            self._supervisor = _supervise(binary, home, log=lines, lock=lock)
            try:
                self._tell(configuration(home, settings) + "\n")
                self.pid = self._wait_until_ready(lines)
            except BaseException:
                self.stop()
                raise

    @property
    def group(self) -> int:
        """The process group of the server and its supervisors."""
        return self._supervisor.pid

    @property
    def is_running(self) -> bool:
        """Whether any of the server's processes, supervisors included, is left."""
        return not self._ends_within(0)

    def stop(self) -> None:
        """End the server, the data that it keeps written out; returns when nothing else of it is left.

        A second call does nothing, and so does a call in a process that was forked from the owner.
        """
        if self._requests.closed or os.getpid() != self._owner:
            return
        if self._keeps_data:
            self._tell("stop\nstop\n")  # one line for each of the two that wait
        if not self._ends_within(GRACE_S + 2 if self._keeps_data else 0):
            shutil.rmtree(self.home, ignore_errors=True)  # before the last who would do it is gone
            with suppress(ProcessLookupError, PermissionError):  # it ended just now; systems differ in the word
                os.killpg(self.group, signal.SIGKILL)
            self._ends_within(GRACE_S)
        self._requests.close()
        self._presence.close()
        self._supervisor.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def _requests(self) -> IO[bytes]:
        return cast("IO[bytes]", self._supervisor.stdin)

    @property
    def _presence(self) -> IO[bytes]:
        return cast("IO[bytes]", self._supervisor.stdout)

    def _tell(self, text: str) -> None:
        with suppress(BrokenPipeError):  # nobody is there any more, as others will notice
            self._requests.write(text.encode())

    def _wait_until_ready(self, log: IO[bytes]) -> int:
        deadline = time.monotonic() + READY_WITHIN_S
        pause_s = 0.001
        failure = "did not answer in time"
        while time.monotonic() < deadline:
            if pid := pid_at(self.socket_url):
                return pid
            if self._ends_within(pause_s):
                failure = "ended before it answered"
                break
            pause_s = min(pause_s * 1.5, 0.02)
        raise EmbeddedFailed(f"{self._binary} {failure}: {_last_lines(log)}")

    def _ends_within(self, seconds: float) -> bool:
        if self._presence.closed:
            return True
        poll = select.poll()
        poll.register(self._presence, 0)  # a pipe tells without being asked that its other end is closed
        return bool(poll.poll(seconds * 1000))


def _supervise(binary: Path, home: Path, *, log: IO[bytes], lock: int | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", SUPERVISE, binary, home, str(GRACE_S)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        # Out of the terminal's reach: Ctrl-C is for the owner, which may have something left to write.
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
        env=os.environ | {"LC_ALL": "C"},  # servers refuse to start under a locale that is not installed
    )


def _last_lines(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").split("\n")
    return " | ".join([line.strip() for line in lines if line.strip()][-4:]) or "its log is empty"
