"""The person who looks at the fleet now and then, and does what the product tells them to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import ConfBusError
from confbus_publisher import fleet, standing
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.oneshot import publish_once

if TYPE_CHECKING:
    from random import Random

    from support.agenda import Agenda
    from support.simulated_publisher import SimulatedPublisher
    from support.simulated_redis import SimulatedRedis


class SimulatedOperator:
    """Rolls back, resumes, and answers a loss: with `--adopt` when a publisher says that it lost data, with
    `adopt-head` when the publisher is content but an instance holds on to what Redis has not."""

    def __init__(
        self, publishers: list[SimulatedPublisher], *, redis: SimulatedRedis, agenda: Agenda, rng: Random
    ) -> None:
        self._publishers = publishers
        self._redis = redis
        self._agenda = agenda
        self._rng = rng
        self._worried_since: float | None = None

    def roll_back(self) -> None:
        ledger = self._ledger()
        try:
            ledger.refresh()
            releases = [release for release in ledger.history() if release.digest != releases_head(ledger)]
            if releases:
                self._redis.is_hinting = self._rng.random() < 0.5
                ledger.rollback(self._rng.choice(releases[:5]), Why("operator", action="rollback"))
        except ConfBusError:
            pass
        finally:
            self._redis.is_hinting = False

    def resume(self) -> None:
        ledger = self._ledger()
        try:
            state = ledger.refresh()
            if state and state.quarantine:
                ledger.resume(sorted(state.quarantine), Why("operator", action="resume"))
        except ConfBusError:
            pass

    def look(self) -> None:
        """See to a loss that has lasted for a while; then look again."""
        patience_s = self._rng.uniform(10, 60) if self._redis.is_stormy else 8.0
        is_worried = any(self._stuck()) or self._loser() is not None
        if not is_worried:
            self._worried_since = None
        elif self._worried_since is None:
            self._worried_since = self._agenda.now_s
        elif self._agenda.now_s - self._worried_since > patience_s:
            self._adopt()
            self._worried_since = None
        self._agenda.after(3.0, self.look)

    def _adopt(self) -> None:
        loser, ledger = self._loser(), self._ledger()
        why = Why("operator", action="adopt")
        try:
            if loser:
                publish_once(ledger, loser.merge(), why, force=True, adopt=True)
            elif state := ledger.refresh():
                stands = [report.seen for report in fleet.parse_all(self._redis.fleet()) if report.seen]
                ledger.anchor(state, why, stands=stands)
        except ConfBusError:
            pass

    def _loser(self) -> SimulatedPublisher | None:
        lost = [each for each in self._publishers if each.publisher and each.publisher.standing.state == standing.LOST]
        return lost[0] if lost else None

    def _stuck(self) -> list[str]:
        head = self._redis.there
        return [
            report.instance
            for report in self._reports()
            if report.state in {"regressed", "lost"}
            and report.seen
            and not (head and (head.change == report.seen.change or (head.revision > report.seen.revision and report.seen.epoch in (head.epoch, *head.lineage))))
        ]

    def _reports(self) -> list[fleet.Report]:
        if not self._redis.is_up:
            return []
        raw = dict(self._redis._fleet)
        return fleet.subscribers(fleet.parse_all(raw), self._redis.time_ms())

    def _ledger(self) -> Ledger:
        return Ledger(self._redis, clock=self._agenda)


def releases_head(ledger: Ledger) -> str:
    return ledger.state.release.digest if ledger.state else ""
