"""A program that forks, and its processes as the bus sees them: who they are, what they read, what they hold open.

Each process tells about itself in a file of its own, named after its pid, which a callback rewrites at each change.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from confbus.wire.keys import Keys
from support.eventually import eventually
from support.processes import is_alive

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from support.bus import Bus

PRELUDE = """
import os, signal, sys, threading, time
from pathlib import Path
import confbus

URL, NAMESPACE, PLACE = (os.environ[name] for name in ("BUS_URL", "BUS_NAMESPACE", "BUS_PLACE"))
TIMING = confbus.Timing(poll_s=0.3, report_s=1.0, ping_s=0.3, silence_s=1.0, announce_s=0.2, max_backoff_s=0.5)

def told(changes):
    number = next(change.new_value for change in changes if change.path == "number")
    file = Path(PLACE, f"{os.getpid()}.new")
    file.write_text(str(number))
    file.rename(Path(PLACE, str(os.getpid())))

def connect(tell=told, is_lazy=False, **options):
    config = confbus.Subscriber(URL, namespace=NAMESPACE, timing=TIMING, **options)
    config.subscribe(tell)  # before the start, or a change might come between
    return config.start_when_read() if is_lazy else config.start()

def rest():
    sys.stdin.read()
    os._exit(0)
"""

# For a program that must import nothing on a thread of ours while another may fork: what it imports there all the same
# is told on stderr.
WATCHED_IMPORTS = """
import builtins
from confbus import importing

original = builtins.__import__
def watched(name, *more, **named):
    is_ours = threading.current_thread().name.startswith("confbus")
    if is_ours and name not in sys.modules and not importing.guard._is_owned():
        print(name, "is imported by", threading.current_thread().name, file=sys.stderr, flush=True)
    return original(name, *more, **named)
builtins.__import__ = watched
"""


class Family:
    """The processes of one program; a context manager that ends them all."""

    def __init__(self, bus: Bus, place: Path) -> None:
        place.mkdir()
        self._bus = bus
        self.place = place
        self._started: list[subprocess.Popen[str]] = []
        self._keys = Keys(bus.namespace, 0)

    def environment(self) -> dict[str, str]:
        """What a program must know to follow the bus."""
        return os.environ | {
            "BUS_URL": self._bus.url,
            "BUS_NAMESPACE": self._bus.namespace,
            "BUS_PLACE": str(self.place),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, program: str, *, python: Sequence[str] = (sys.executable,)) -> subprocess.Popen[str]:
        """A Python program that begins with `PRELUDE`. It ends with its standard input."""
        return self.start(*python, "-c", PRELUDE + program)

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        with (self.place / "errors.log").open("a") as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=self.environment() | dict(env or {}),
                cwd=self.place,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    @property
    def errors(self) -> str:
        """All that any of them said on standard error."""
        return (self.place / "errors.log").read_text()

    def told_all(self, pids: Collection[int], number: int) -> None:
        """Wait until the callbacks of exactly these processes were told document `number` last."""
        eventually(lambda: self.told() == dict.fromkeys(pids, number), within_s=40, describe=self.told)

    def told(self) -> dict[int, int]:
        """What each process's callback was told last, by pid."""
        return {int(file.name): int(file.read_text()) for file in self.place.iterdir() if file.name.isdigit()}

    def fleet(self) -> dict[int, str]:
        """The instances that report, by pid; each has one."""
        instances = [instance for instance in self.reports() if is_alive(_pid(instance))]
        assert len({_pid(instance) for instance in instances}) == len(instances), instances
        return {_pid(instance): instance for instance in instances}

    def reports(self) -> dict[str, dict[str, Any]]:
        raw: dict[bytes, bytes] = self._bus.client.hgetall(self._keys.fleet)
        return {name.decode(): json.loads(report) for name, report in raw.items()}

    def connections(self) -> dict[str, list[int]]:
        """The server's ids of all connections that an instance has, by its name."""
        clients: list[dict[str, str]] = self._bus.client.client_list()
        found: dict[str, list[int]] = {}
        for client in clients:
            if client["name"].startswith("confbus:"):
                found.setdefault(client["name"].removeprefix("confbus:"), []).append(int(client["id"]))
        return found

    def agree(self, count: int) -> dict[int, str]:
        """Wait until `count` processes report that they run what the head names, each as an instance of its own with
        connections of its own; gives the instances by pid."""

        def stand() -> dict[int, str]:
            fleet, reports, connections = self.fleet(), self.reports(), self.connections()
            assert len(fleet) == count, (fleet, self.errors)
            head = self._bus.ledger.refresh()
            assert head is not None
            running = {pid: reports[instance]["running"]["version"] for pid, instance in fleet.items()}
            assert set(running.values()) == {head.head.version}, (running, self.errors)
            assert connections.keys() >= set(fleet.values()), (connections, fleet)
            return fleet

        return eventually(stand, within_s=40)

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def _pid(instance: str) -> int:
    return int(instance.split(":")[1])
