"""What a publisher tells about itself: to its log when something is new, to the fleet then and every interval."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError
from confbus_publisher import standing
from confbus_publisher.decision import Step
from confbus_publisher.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from confbus.status import Stand
    from confbus_publisher.ledger import Ledger

_log = logging.getLogger("confbus.publisher")
_MOST_SECTIONS = 50
_CALM = (Step.IN_STEP.value, standing.STANDBY)


class Telling:
    """The voice of the publisher `identity`. `standing` is what it last took."""

    def __init__(
        self, ledger: Ledger, *, identity: str, interval_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.standing = Standing()
        self._ledger = ledger
        self._identity = identity
        self._interval_s = interval_s
        self._clock = clock
        self._told: tuple[Standing, float] | None = None
        self._failing: set[str] = set()

    def take(self, now: Standing, *, told: Collection[str] = ()) -> bool:
        """Stand like that from now on; True when it is news, which is logged once. Failures of the names `told` are in
        the log already."""
        before = self.standing
        if now == before:
            return False
        self._complain(now, before, told)
        if now.state != before.state or (now.why != before.why and now.state != standing.UNREACHABLE):
            level = logging.INFO if now.state in _CALM else logging.WARNING
            facts = {"state": now.state, "before": before.state, "why": now.why, "is_active": now.is_active}
            _log.log(level, "%s", now.sentence, extra=facts)
        self.standing = now
        return True

    def _complain(self, now: Standing, before: Standing, told: Collection[str]) -> None:
        for name, failure in now.new_failures(before, told=told):
            self._failing.add(name)
            facts = {"source": name, "why": failure}
            _log.warning("source %s keeps its last good values: %s", name, failure, extra=facts)
        for name in sorted(self._failing - now.failures.keys()):
            self._failing.remove(name)
            _log.info("source %s is read again", name, extra={"source": name})
        for warning in now.new_warnings(before):
            _log.warning("published with a warning: %s", warning, extra={"why": warning})

    def published(self, version: int, sections: list[str], took_ms: float) -> None:
        """Say what went out just now."""
        facts = {"version": version, "sections": sections[:_MOST_SECTIONS], "took_ms": round(took_ms, 3)}
        _log.info("published version %d in %.1f ms: %s", version, took_ms, standing.named(sections), extra=facts)
        if self._ledger.unannounced:
            _log.warning("the notice was not sent, the fleet follows by polling: %s", self._ledger.unannounced)

    def heard_of(self, reported: Collection[str]) -> None:
        """Note whose reports are there: when the own one is not, it went with the data, and is due again."""
        if self._identity not in reported:
            self._told = None

    def tell(self, seen: Stand | None) -> None:
        """Tell the fleet, at once on news, else every report interval. `seen` is the last head that is known."""
        now = self._clock()
        if self._told and self._told[0] == self.standing and now - self._told[1] < self._interval_s:
            return
        try:
            store = self._ledger.store
            report = self.standing.report(self._identity, at_ms=store.time_ms(), interval_s=self._interval_s, seen=seen)
            store.report(self._identity, report)
            self._told = (self.standing, now)
        except ConfBusError as error:
            _log.warning("the fleet was not told: %s", error)
