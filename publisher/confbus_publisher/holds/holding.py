"""How a publisher follows the holds: it looks at them each turn, keeps back what they hold, and removes what ended."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confbus.errors import OutcomeUnknown, Refused
from confbus_publisher.holds.hold import Hold, keeping, lift, parse_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.manifest import Manifest
    from confbus_publisher.ledger import Ledger

_log = logging.getLogger("confbus.publisher")


class Holding:
    """The holds of one publisher; `known` are those that it remembers.

    When they cannot be read, or the head is not the one that the ledger saw, the last ones stay, each to its end.
    `problems` says what is wrong with them, and is logged once.
    """

    def __init__(self, ledger: Ledger, known: Mapping[str, str] | None) -> None:
        self.problems: dict[str, str] = {}
        self._ledger = ledger
        self._texts: Mapping[str, str] = known or {}
        self._holds = parse_all(self._texts)
        self._now_ms = 0

    @property
    def ends_in_s(self) -> float:
        """How long until the next one ends; infinite when none does."""
        ends_ms = [hold.until_ms - self._now_ms for hold in self._holds if hold.until_ms is not None]
        return max(0.0, (min(ends_ms) + 1) / 1000) if ends_ms else float("inf")

    def look(self) -> None:
        """Take what is there now. Raises `Unreachable`."""
        try:
            seen = self._ledger.look_at_holds()
        except Refused as error:
            self._complain("holds", f"the holds cannot be read, those known stay: {error.reason}. {error.advice}")
            self._now_ms = self._ledger.store.time_ms()
            return
        self.problems.pop("holds", None)
        if seen is not None:
            self._now_ms = seen.now_ms
            if seen.texts != self._texts:
                self._texts, self._holds = seen.texts, parse_all(seen.texts)

    def keep_back(self, merge: Manifest, running: Manifest | None) -> list[Hold]:
        """The holds in force that keep `merge` from taking the place of `running`."""
        return keeping([hold for hold in self._holds if not hold.has_ended(self._now_ms)], merge, running)

    def withdraw_ended(self, author: str) -> None:
        """Take away what ended, with an entry of the log."""
        for hold in [hold for hold in self._holds if hold.has_ended(self._now_ms)]:
            text = self._texts[hold.section]
            try:
                has_gone = lift(self._ledger.store, hold.section, by=author, action="hold ended", text=text)
            except (Refused, OutcomeUnknown) as error:
                self._complain("ended holds", f"what ended cannot be taken away: {error}")
                return
            if has_gone:
                _log.info("hold ended: %s", hold.section)
            self._holds = [each for each in self._holds if each is not hold]
        self.problems.pop("ended holds", None)

    def _complain(self, name: str, problem: str) -> None:
        if self.problems.get(name) != problem:
            _log.warning("%s", problem)
        self.problems[name] = problem
