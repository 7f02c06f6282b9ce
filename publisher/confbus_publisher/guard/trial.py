"""One release on trial, seen through to the end of its guard by somebody who is not the active publisher.

Whoever is active judges it. While nobody is, this does; also when the active one lets the time run out and more, since
it hangs, or knows nothing of guards.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus.errors import Conflict, Malformed, NoRelease
from confbus_publisher import fleet
from confbus_publisher.guard.guarding import LOOK_S, Guarding

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus_publisher.guard.guarding import Policy
    from confbus_publisher.ledger import Ledger, State

PASSED, ROLLED_BACK, REPLACED, FAILED = "passed", "rolled back", "replaced", "failed"
_LOOKED_AT = 256
_LATE_MS = 30_000
_log = logging.getLogger("confbus.publisher")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a trial ended: passed, rolled back, replaced by another release, or failed with nowhere to go back to.

    `version` is in force now, `why` what was said of it.
    """

    word: str
    version: int
    why: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether what was on trial did harm."""
        return self.word in {ROLLED_BACK, FAILED}


def see_through(
    ledger: Ledger, policy: Policy, *, author: str, pause: Callable[[float], object] = time.sleep
) -> Ending | None:
    """How the trial of the head that `ledger` knows ended, once it did; None when it is not on trial.

    Raises `Unreachable`; whoever is active next goes on then.
    """
    begun = ledger.state
    if begun is None or begun.guard is None:
        return None
    guarding = Guarding(ledger, None, policy, author=author)
    while True:
        try:
            state = ledger.refresh()
            is_on_trial = state is not None and state.release.digest == begun.release.digest
            guard = ledger.look_at_guard() if is_on_trial else None
            if guard is None:
                return _ending(ledger, begun)
            now_ms = ledger.store.time_ms()
            if guard.is_over(now_ms - _LATE_MS) or not ledger.store.lease():
                reports = fleet.parse_all(ledger.store.fleet())
                guarding.judge(fleet.subscribers(reports, now_ms))
        except (Conflict, Malformed, NoRelease) as error:
            _log.debug("the head moves, or is restored just now: %s", error)
        pause(LOOK_S)


def _ending(ledger: Ledger, begun: State) -> Ending:
    state = ledger.state
    version = state.head.version if state else 0
    for entry in ledger.store.log(_LOOKED_AT):
        fields = entry.fields
        if fields.get("action") == "rollback" and fields.get("from") == str(begun.head.version):
            return Ending(ROLLED_BACK, version, fields.get("message", ""))
        if fields.get("action") == "guard failed" and fields.get("version") == str(begun.head.version):
            return Ending(FAILED, version, f"{fields.get('message', '')}; {fields.get('why', '')}")
    is_there = state is not None and state.release.digest == begun.release.digest
    return Ending(PASSED if is_there else REPLACED, version)
