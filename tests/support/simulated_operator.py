"""The person who looks at the fleet now and then, and does what the product tells them to."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError
from confbus.rule import comes_after
from confbus_publisher import fleet, standing
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.oneshot import publish_once

if TYPE_CHECKING:
    from random import Random

    from support.simulated_publisher import SimulatedPublisher
    from support.simulated_redis import SimulatedRedis

_LOOK_S = 5.0


class SimulatedOperator:
    """Rolls back, resumes, and answers a loss: with `publish --adopt` when a publisher says that it lost data, with
    `adopt-head` when the publisher is content but an instance holds on to what Redis has not."""

    def __init__(self, publishers: list[SimulatedPublisher], redis: SimulatedRedis, *, rng: Random) -> None:
        self._publishers = publishers
        self._redis = redis
        self._rng = rng
        self._worried_since: float | None = None
        self._reports = fleet.Reports()

    def roll_back(self) -> None:
        """To one of the last releases; half of the time with the script for redis-cli, whose notice has no facts."""
        ledger = self._ledger()
        self._redis.is_hinting = self._rng.random() < 0.5
        with suppress(ConfBusError):
            state = ledger.refresh()
            others = [each for each in ledger.history() if state and each.digest != state.release.digest]
            if others:
                ledger.rollback(self._rng.choice(others[:5]), Why("operator", action="rollback"))
        self._redis.is_hinting = False

    def resume(self) -> None:
        ledger = self._ledger()
        with suppress(ConfBusError):
            state = ledger.refresh()
            if state and state.quarantine:
                ledger.resume(sorted(state.quarantine), Why("operator", action="resume"))

    def look(self) -> None:
        """See to a loss that has lasted for a while; then look again."""
        now_s = self._redis.agenda.now_s
        patience_s = self._rng.uniform(10, 60) if self._redis.is_stormy else 8.0
        if not self._losers() and not self._is_anybody_stuck():
            self._worried_since = None
        elif self._worried_since is None:
            self._worried_since = now_s
        elif now_s - self._worried_since > patience_s:
            self._adopt()
            self._worried_since = None
        self._redis.agenda.after(_LOOK_S, self.look)

    def _adopt(self) -> None:
        losers, ledger, why = self._losers(), self._ledger(), Why("operator", action="adopt")
        with suppress(ConfBusError):
            if losers:
                publish_once(ledger, losers[0].merge(), why, force=True, adopt=True)
            elif state := ledger.refresh():
                reports = fleet.parse_all(self._redis.fleet())
                ledger.anchor(state, why, stands=[report.seen for report in reports if report.seen])

    def _losers(self) -> list[SimulatedPublisher]:
        return [each for each in self._publishers if each.publisher and each.publisher.standing.state == standing.LOST]

    def _is_anybody_stuck(self) -> bool:
        head = self._redis.there
        reports = fleet.subscribers(self._reports.read(self._redis.reports).values(), self._redis.time_ms())
        return any(
            not head or not (head.change == report.seen.change or comes_after(head, report.seen))
            for report in reports
            if report.seen and report.state in {"regressed", "lost"}
        )

    def _ledger(self) -> Ledger:
        return Ledger(self._redis, clock=self._redis.agenda)
