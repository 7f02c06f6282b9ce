"""Where the demo plays: the sample configuration beside a server's socket, a publisher, workers, and an operator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confbus.wire.keys import Keys
from confbus_publisher.demo.processes import BrokenOff
from confbus_publisher.demo.shop import NAMESPACE, Shop, environment
from confbus_publisher.demo.workers import Workers
from confbus_publisher.ledger import Why
from confbus_publisher.ledger.rollback import target
from confbus_publisher.opening import author

if TYPE_CHECKING:
    from confbus.wire.release import Release
    from confbus_publisher.demo.processes import Child, Processes
    from confbus_publisher.ledger import Ledger


class Stage:
    """All that the story acts upon. `ledger` is the operator's: the demo's own eyes and hand in Redis."""

    publisher: Child
    workers: Workers

    def __init__(self, processes: Processes, ledger: Ledger) -> None:
        self.processes = processes
        self.url = processes.server.socket_url
        self.socket = processes.home / "redis.sock"
        self.shop = Shop(processes.home / "shop", self.url)
        self.keys = Keys(NAMESPACE)
        self.ledger = ledger

    def start_publisher(self) -> int:
        """Start `confbus run` on the sample; gives the version that it publishes."""
        command = ("confbus_publisher.cli:main", "run", "-c", "confbus.yaml")
        where = self.shop.directory
        self.publisher = self.processes.start("publisher", *command, within=where, environment=environment())

        def published() -> int | None:
            state = self.ledger.refresh()
            return state.head.version if state else None

        return self.processes.until(published, "The first version")

    def start_workers(self) -> None:
        self.workers = Workers(self.processes, self.url)

    def roll_back(self, message: str) -> Release:
        """Do what `confbus rollback -m MESSAGE` does."""
        state = self.ledger.refresh()
        if state is None:
            raise BrokenOff("The head is gone.")
        return self.ledger.rollback(target(state, self.ledger.history()), Why(author(), message, "rollback"))

    def publisher_says(self, pattern: str) -> str:
        """What matches in the next line of its log that has such a thing."""

        def said() -> str | None:
            matches = (re.search(pattern, line) for line in self.publisher.take())
            return next((match[0] for match in matches if match), None)

        return self.processes.until(said, "A word of the publisher")
