"""How an active publisher undoes a loss of data: it looks at the head and the fleet, and writes again what it knows."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from confbus.errors import Malformed, NoRelease
from confbus_publisher import repair, standing
from confbus_publisher.ledger import Why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from confbus.wire.head import Head
    from confbus_publisher.fleet import Report
    from confbus_publisher.ledger import Ledger, State
    from confbus_publisher.patience import Patience
    from confbus_publisher.recollection import Recollection

_log = logging.getLogger("confbus.publisher")


class Mending:
    """The repairs of one publisher. Whether everything that the head names is there, it asks every `check_s`.
    `damage` is why the head, or what it stands for, cannot be read."""

    def __init__(
        self,
        ledger: Ledger,
        recollection: Recollection,
        patience: Patience,
        *,
        author: str,
        check_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._recollection = recollection
        self._patience = patience
        self._author = author
        self._check_s = check_s
        self._clock = clock
        self._checked_at = clock()
        self._is_whole = True
        self.damage = ""

    def look(self) -> tuple[Head | None, State | None]:
        """The head in Redis, and what it stands for: None also when its release or a blob is gone."""
        ledger = self._ledger
        try:
            state = ledger.refresh()
        except (Malformed, NoRelease) as error:
            if str(error) != self.damage:
                self.damage = str(error)
                _log.warning("the head is damaged: %s", error)
            return ledger.head, None
        self.damage = ""
        if state and (not self._is_whole or self._clock() - self._checked_at >= self._check_s):
            self._is_whole, self._checked_at = ledger.is_whole(), self._clock()
        return ledger.head, state if self._is_whole else None

    def mend(self, head: Head | None, contents: Iterable[State], reports: Sequence[Report]) -> tuple[str, str] | None:
        """Undo a loss, if there is one. Returns state and reason when nothing may be published now."""
        recollection = self._recollection
        verdict = repair.assess(head, recollection.state, contents, reports)
        if isinstance(verdict, repair.Lose):
            return standing.LOST, f"{verdict.reason}; `confbus publish --adopt` makes the sources the truth"
        if not recollection.has_seen and (head is None or isinstance(verdict, repair.Restore)):
            awaited = self._patience.waits_for(self._ledger.store, len(reports), now_s=self._clock())
            if awaited:
                return standing.STARTING, awaited
        if isinstance(verdict, repair.Restore):
            self._restore(verdict)
        return None

    def _restore(self, verdict: repair.Restore) -> None:
        why = Why(self._author, verdict.reason, "restore")
        release = self._ledger.anchor(verdict.state, why, stands=verdict.stands)
        facts = {"version": release.version, "why": verdict.reason}
        _log.warning("restored as version %d: %s", release.version, verdict.reason, extra=facts)
