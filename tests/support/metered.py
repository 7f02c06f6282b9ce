"""A publisher whose metrics are scraped: its store in memory, its clock moved by hand, its fleet made up."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from confbus.errors import SourceFailed
from confbus.status import stand
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger
from confbus_publisher.manager.forgetful import Forgetful
from confbus_publisher.metrics import observe
from confbus_publisher.publisher import Publisher
from support.bus import Edits
from support.clock import Clock
from support.places import MemoryPlace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus.wire.head import Head
    from confbus_publisher.checks import Check
    from confbus_publisher.guard.guarding import Policy
    from confbus_publisher.layer import Layer

NAMESPACE = "shop"


class FallibleEdits(Edits):
    """A source that fails while it `is_broken`."""

    is_broken = False

    def load(self) -> Layer:
        if self.is_broken:
            raise SourceFailed(self.name, "config/app.yaml", "it cannot be read")
        return super().load()


class Metered:
    """A publisher of `tree`, which takes a turn when it is told to. `store` and `clock` may be those of
    another one."""

    def __init__(
        self,
        tree: dict[str, Any],
        *,
        checks: Sequence[Check] = (),
        guard: Policy | None = None,
        store: MemoryPlace | None = None,
        clock: Clock | None = None,
        identity: str = "ann",
    ) -> None:
        self.clock = clock or Clock()
        self.store = store or MemoryPlace(clock=self.clock)
        self.edits = FallibleEdits(tree)
        self.registry = CollectorRegistry()
        self.publisher = Publisher(
            Inputs([self.edits], limit_bytes=10_000, checks=checks),
            Ledger(self.store),
            Forgetful(),
            identity=identity,
            author=identity,
            guard=guard,
            clock=self.clock,
        )
        observe(self.publisher, self.registry, namespace=NAMESPACE)

    @property
    def head(self) -> Head:
        assert self.publisher.ledger.state
        return self.publisher.ledger.state.head

    def publish(self, tree: dict[str, Any]) -> None:
        """Let the source say `tree`, and take a turn."""
        self.edits.write(tree)
        self.publisher.turn()

    def report(self, instance: str, head: Head | None, *, state: str = "live", error: str = "") -> None:
        """Let an instance report now that it has judged `head`, and runs it unless it is `vetoing`."""
        facts: dict[str, Any] = {"state": state, "interval_s": 30, "at": self.store.time_ms(), "error": error}
        seen = stand(head)
        facts["seen"] = asdict(seen) if seen else None
        facts["running"] = facts["seen"] if state != "vetoing" else None
        self.store.report(instance, json.dumps(facts).encode())

    def value(self, metric: str, **labels: str) -> float | None:
        """What a scrape shows; None when it has no such sample."""
        return self.registry.get_sample_value(f"confbus_{metric}", {"namespace": NAMESPACE, **labels})
