"""Whether a publisher lives and is ready: what its loop leaves behind, for whoever looks from another thread.

Nothing here waits for the loop, for Redis or for a lock. A loop that hangs is seen by what it does not leave behind.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from confbus_publisher import standing
from confbus_publisher.head_facts import head_facts
from confbus_publisher.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus_publisher.last_turn import LastTurn
    from confbus_publisher.publisher import Publisher

LATE_S = 60.0
"""So late the next turn may be: longer than whatever a turn waits for takes, servers and slow sources included."""


class Vitals:
    """What can be told of the publisher of `namespace` without asking it, from any thread."""

    def __init__(self, namespace: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.namespace = namespace
        self._clock = clock
        self._begun_at = self._taken_at = clock()
        self._publisher: Publisher | None = None
        self._where: str | None = None

    def take(self, publisher: Publisher, where: str) -> None:
        """Tell of this one from now on, which publishes to `where` and is about to begin."""
        self._taken_at, self._where = self._clock(), where
        self._publisher = publisher

    @property
    def late_s(self) -> float:
        """How long ago its loop should have taken its next turn; 0 when it need not yet."""
        turn = self._last_turn
        due_at = turn.ended_at + turn.due_in_s if turn else self._taken_at
        return max(0.0, self._clock() - due_at)

    @property
    def ailment(self) -> str:
        """Why it does not live, or the empty text."""
        late_s = self.late_s
        return f"the loop did not turn for {late_s:.0f} s" if late_s > LATE_S else ""

    @property
    def hindrance(self) -> str:
        """Why it is not ready, or the empty text: ready is who merged its sources once, and had an answer of Redis in
        its last turn, be it active or standby."""
        turn, now = self._last_turn, self.standing
        if turn is None:
            return "it took no turn yet"
        if not turn.has_merged:
            return now.why or "its sources were not merged yet"
        return now.sentence if now.state in standing.NOT_YET else ""

    @property
    def standing(self) -> Standing:
        return self._publisher.standing if self._publisher else Standing()

    @property
    def summary(self) -> str:
        """State, version and role in a line; in reasons are no values."""
        now = self.standing
        state = self._publisher.ledger.state if self._publisher else None
        version = f", version {state.head.version}" if state else ""
        role = "active" if now.is_active else "not active"
        return f"{now.state}{version}, {role}{now.why and f': {now.why}'}"

    def health(self) -> dict[str, Any]:
        """For who restarts what hangs. Redis, sources and checks have no part in it."""
        return _verdict(self.ailment, "healthy", "unhealthy") | {"late_s": round(self.late_s, 3)}

    def readiness(self) -> dict[str, Any]:
        """For who waits until it is at work."""
        now = self.standing
        return _verdict(self.hindrance, "ready", "unready") | {"state": now.state, "is_active": now.is_active}

    def status(self) -> dict[str, Any]:
        """All of it, in the words of `confbus status`, as far as this process knows it by itself."""
        publisher, now = self._publisher, self.standing
        state = publisher.ledger.state if publisher else None
        return {
            "namespace": self.namespace,
            "url": self._where,
            "instance": publisher.identity if publisher else None,
            "state": now.state,
            "why": now.why,
            "is_active": now.is_active,
            "is_ready": not self.hindrance,
            "head": head_facts(state) if state else None,
            "warnings": list(now.warnings),
            "failures": dict(now.failures),
            "guards": {"passed": now.passed, "rolled_back": now.rolled_back, "failed": now.failed},
            "late_s": round(self.late_s, 3),
            "up_s": round(self._clock() - self._begun_at, 3),
        }

    @property
    def _last_turn(self) -> LastTurn | None:
        return self._publisher.last_turn if self._publisher else None


def _verdict(reason: str, good: str, bad: str) -> dict[str, Any]:
    return {"status": bad, "reason": reason} if reason else {"status": good}
