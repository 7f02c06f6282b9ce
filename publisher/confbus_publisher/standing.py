"""What a publisher says about itself: in its log, and to whoever asks for the status of the fleet."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from confbus.version import PROGRAM
from confbus.wire.head import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from confbus.status import Stand

STARTING = "starting"
STANDBY = "standby"
REFUSED = "refused"
LOST = "lost"
UNREACHABLE = "unreachable"
NOT_YET = (STARTING, UNREACHABLE)
"""The states in which it waits for its sources, or for Redis."""
MOST_WORDS = 500
"""The length of a reason in a report: enough for the line that a person is to type."""
_MOST_WARNINGS, _LONGEST = 10, 300


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a publisher stands.

    `state` is starting, standby, in step, held, diverged, refused, lost or unreachable; `why` says it in a sentence.
    `failures` holds, by source, why its last good layer is used instead of what it says now; `warnings` what checks
    found in the document that went out last. `passed`, `rolled_back` and `failed` count what came of guards.
    """

    state: str = STARTING
    why: str = ""
    is_active: bool = False
    failures: Mapping[str, str] = field(default_factory=dict[str, str])
    warnings: tuple[str, ...] = ()
    passed: int = 0
    rolled_back: int = 0
    failed: int = 0

    @property
    def sentence(self) -> str:
        """The state, and why, each once."""
        why = self.why.replace(" is unreachable", "", 1) if self.state == UNREACHABLE else self.why
        return f"{self.state}: {why}" if why else self.state

    def new_failures(self, before: Standing, *, told: Collection[str] = ()) -> Iterator[tuple[str, str]]:
        """The sources that fail otherwise than `before`, and why, but for the names `told`."""
        for name, failure in self.failures.items():
            if name not in told and before.failures.get(name) != failure:
                yield name, failure

    def new_warnings(self, before: Standing) -> Iterator[str]:
        """What checks found that they had not found `before`."""
        return (text for text in self.warnings if text not in before.warnings)

    def report(self, instance: str, *, at_ms: int, interval_s: float, seen: Stand | None = None) -> bytes:
        """The report for the fleet. `seen` is the last head this publisher knows: what is adopted goes above it."""
        facts = {
            "instance": instance,
            "role": "publisher",
            "state": self.state,
            "seen": asdict(seen) if seen else None,
            "error": "; ".join(filter(None, (self.why, *self.failures.values()))).replace(".; ", "; ")[:MOST_WORDS],
            "warnings": [text[:_LONGEST] for text in self.warnings[:_MOST_WARNINGS]],
            "guards": {"passed": self.passed, "rolled_back": self.rolled_back, "failed": self.failed},
            "labels": {"lease": "active" if self.is_active else "standby"},
            "interval_s": interval_s,
            "protocol": PROTOCOL,
            "program": PROGRAM,
            "failing": [name[:_LONGEST] for name in list(self.failures)[:_MOST_WARNINGS]],
            "at": at_ms,
        }
        return json.dumps(facts, separators=(",", ":")).encode()


def named(sections: list[str]) -> str:
    """The sections that changed, as the log has them."""
    shown = ", ".join(sections[:5])
    return f"{shown} and {len(sections) - 5} more sections" if len(sections) > 5 else shown or "no section changed"
