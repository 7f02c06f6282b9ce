"""Whether what a person set or ended is out: a moment's wait, and what the active publisher says meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confbus.errors import Malformed, NoRelease
from confbus_publisher import standing
from confbus_publisher.cli import outcome
from confbus_publisher.cli.publishers import active_fact, active_text
from confbus_publisher.decision import Step
from confbus_publisher.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus_publisher.ledger import Ledger, State
    from confbus_publisher.survey import Survey

PATIENCE_S = 2.0
_PAUSE_S = 0.05
_REFUSING = (standing.REFUSED, standing.LOST, Step.HELD.value, Step.DIVERGED.value)


@dataclass(frozen=True, slots=True)
class Arrival:
    """The version that is as it shall be, or None, and who is there."""

    version: int | None
    seen: Survey

    @property
    def is_refused(self) -> bool:
        """Whether the active publisher says that it will not put it out as things are."""
        active = self.seen.active
        return self.version is None and active is not None and active.state in _REFUSING

    def exit_code(self, *, must_arrive: bool) -> int:
        """What the command says of it; without a version it has failed only if one `must_arrive`."""
        if self.is_refused:
            return outcome.REFUSED
        return outcome.LAGGING if self.version is None and must_arrive else outcome.DONE

    def facts(self) -> dict[str, Any]:
        return {"version": self.version, "active": active_fact(self.seen)}

    def reason(self) -> str:
        """Why no version has it."""
        if not self.seen.holder:
            return "No publisher is active: `confbus run` or `confbus publish` puts it out."
        return f"The active publisher is {active_text(self.seen).rstrip('.')}."


def wait(ledger: Ledger, is_out: Callable[[State], bool], *, since_ms: int, patience_s: float) -> Arrival:
    """Until `is_out` says so of the head; at once when nobody is active, or the publisher refuses after `since_ms`."""
    deadline = time.monotonic() + patience_s
    while True:
        state = _head(ledger)
        seen = survey(ledger.store)
        if state and is_out(state):
            return Arrival(state.head.version, seen)
        arrival, active = Arrival(None, seen), seen.active
        has_refused = arrival.is_refused and active is not None and active.at_ms >= since_ms
        if not seen.holder or has_refused or time.monotonic() > deadline:
            return arrival
        time.sleep(_PAUSE_S)


def _head(ledger: Ledger) -> State | None:
    try:
        return ledger.refresh()
    except (Malformed, NoRelease):
        return None
