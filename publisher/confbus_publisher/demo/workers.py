"""The four workers of the demo, seen from outside: what they report, and when all of them have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confbus_publisher.demo.shop import HOST, NAMESPACE, PRICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confbus_publisher.demo.processes import Child, Processes

COUNT = 4


@dataclass(frozen=True, slots=True)
class Report:
    """What one worker saw, and the monotonic time at which it had read `values`."""

    worker: str
    pid: int
    event: str
    version: int
    values: Mapping[str, Any]
    at_s: float
    facts: Mapping[str, Any]

    @property
    def price(self) -> Any:
        return self.values[PRICE]


class Workers:
    """Starts the workers. Each report is given once: by `gather`, or by `news`."""

    def __init__(self, processes: Processes, url: str) -> None:
        self._processes = processes
        arguments = (url, NAMESPACE, PRICE, HOST)
        self._workers = [
            processes.start(f"worker {number}", f"{__package__}.worker:work", *arguments, within=processes.home)
            for number in range(1, COUNT + 1)
        ]

    def ask(self) -> None:
        """Have each of them read many times; the reports come as "read"."""
        for worker in self._workers:
            worker.ask()

    def gather(self, event: str, *, version: int) -> list[Report]:
        """That report of every worker, in their order. Raises `BrokenOff` when one does not come in time."""
        heard: dict[str, Report] = {}

        def complete() -> list[Report] | None:
            heard.update({each.worker: each for each in self.news() if (each.event, each.version) == (event, version)})
            return sorted(heard.values(), key=lambda each: each.worker) if len(heard) == COUNT else None

        return self._processes.until(complete, f"Version {version} in every worker")

    def news(self) -> Iterator[Report]:
        """What was reported since the last call."""
        for worker in self._workers:
            for line in worker.take():
                if line.startswith("{"):
                    yield _report(worker, json.loads(line))


def _report(worker: Child, facts: dict[str, Any]) -> Report:
    return Report(worker.name, worker.pid, facts["event"], facts["version"], facts["values"], facts["at_s"], facts)
