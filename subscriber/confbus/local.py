"""The local copy: what the readers of one subscriber read, and the one place where that changes.

A candidate is judged whole, then swapped in by one assignment after the other. Readers take no lock; whoever changes
what is read, or how it is judged, holds `changing`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from confbus import candidate
from confbus.changes import Dispatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from confbus.wire.snapshot import Snapshot

Validator = "Callable[[Snapshot], object]"


class Local:
    """The newest accepted snapshot of one subscriber. `on_swap` is called with each one, before anybody is told."""

    __slots__ = ("_on_swap", "changing", "dispatcher", "moved", "snapshot", "validators")

    def __init__(
        self, *, validators: Iterable[Callable[[Snapshot], object]], on_swap: Callable[[Snapshot], None]
    ) -> None:
        self.validators = tuple(validators)
        self.snapshot: Snapshot | None = None
        self.dispatcher = Dispatcher()
        self.moved = threading.Condition()
        self.changing = threading.RLock()
        self._on_swap = on_swap

    def offer(self, snapshot: Snapshot) -> str:
        """Judge `snapshot`, and make it what is read; or why it was refused, and then nothing changed."""
        with self.changing:
            reason = candidate.objection(self.validators, snapshot)
            if reason:
                return reason
            # The reads come first: whoever waits for a snapshot reads as soon as there is one.
            self._on_swap(snapshot)
            self.snapshot = snapshot
        self.tell()
        self.dispatcher.announce(snapshot)
        return ""

    def tell(self) -> None:
        """Let those who wait look again."""
        with self.moved:
            self.moved.notify_all()

    def runs(self, version: int) -> bool:
        """True when `version` or a later one is read here."""
        return self.snapshot is not None and self.snapshot.version >= version

    def renew(self) -> None:
        """In a forked child: locks that a thread of the parent held are nobody's now, and its threads are gone."""
        self.moved = threading.Condition()
        self.changing = threading.RLock()
        self.dispatcher.renew()
