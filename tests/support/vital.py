"""A publisher whose turns are the test's, and what others are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import Malformed, Unreachable
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.manager.forgetful import Forgetful
from confbus_publisher.publisher import Publisher
from confbus_publisher.sources import DictSource
from confbus_publisher.vitals import Vitals

if TYPE_CHECKING:
    from confbus.wire.head import Head
    from support.clock import Clock

WHERE = "memory:shop"


class AwayStore(MemoryStore):
    """A store that answers nobody while it `is_away`, for a `reason`, and whose head is none while it `is_damaged`."""

    is_away = is_damaged = False
    reason = "it is away"

    def head(self) -> Head | None:
        if self.is_away:
            raise Unreachable(WHERE, self.reason)
        if self.is_damaged:
            raise Malformed("field 'digest'", "it is no id in hex")
        return super().head()


class VitalPublisher:
    """A publisher `name` over a store, of its own if need be, and its vitals."""

    def __init__(self, clock: Clock, store: AwayStore | None = None, *, name: str = "ann") -> None:
        self.store = store or AwayStore()
        self.vitals = Vitals("shop", clock=clock)
        self.publisher = Publisher(
            Inputs([DictSource({"number": 1, "password": "hunter2-of-all"})], limit_bytes=1_000_000),
            Ledger(self.store),
            Forgetful(),
            identity=name,
            author=name,
            clock=clock,
        )
        self.vitals.take(self.publisher, WHERE)

    def fail(self) -> None:
        """From now on its sources make no document."""
        self.publisher.inputs = Inputs([DictSource({"number": 1})], limit_bytes=1)
