"""What a publisher says about itself: in its log, and to whoever asks for the status of the fleet."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from confbus.wire.head import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.status import Stand

STARTING = "starting"
STANDBY = "standby"
REFUSED = "refused"
LOST = "lost"
UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a publisher stands.

    `state` is starting, standby, in step, held, diverged, refused, lost or unreachable; `why` says it in a sentence.
    `failures` holds, by source, why its last good layer is used instead of what it says now.
    """

    state: str = STARTING
    why: str = ""
    is_active: bool = False
    failures: Mapping[str, str] = field(default_factory=dict[str, str])

    def report(self, instance: str, *, at_ms: int, interval_s: float, seen: Stand | None = None) -> bytes:
        """The report for the fleet. `seen` is the last head this publisher knows: what is adopted goes above it."""
        facts = {
            "instance": instance,
            "role": "publisher",
            "state": self.state,
            "seen": asdict(seen) if seen else None,
            "error": "; ".join(filter(None, (self.why, *self.failures.values())))[:200],
            "labels": {"lease": "active" if self.is_active else "standby"},
            "interval_s": interval_s,
            "protocol": PROTOCOL,
            "at": at_ms,
        }
        return json.dumps(facts, separators=(",", ":")).encode()
