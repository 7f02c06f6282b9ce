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
    from collections.abc import Callable, Mapping

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

    A release that the server lost is waited for as long as it would be watched, and half a minute: a publisher may
    bring it back, on trial as before. Raises `Unreachable`; whoever is active next goes on then.
    """
    begun = ledger.state
    if begun is None or begun.guard is None:
        return None
    guarding = Guarding(ledger, None, policy, author=author)
    while True:
        try:
            state, now_ms = ledger.refresh(), ledger.store.time_ms()
            is_on_trial = state is not None and state.release.digest == begun.release.digest
            guard = ledger.look_at_guard() if is_on_trial else None
            may_come_back = state is None and not begun.guard.is_over(now_ms - _LATE_MS)
            if guard is None and not may_come_back:
                return _ending(ledger, begun)
            if guard and (guard.is_over(now_ms - _LATE_MS) or not ledger.store.lease()):
                reports = fleet.parse_all(ledger.store.fleet())
                guarding.judge(fleet.subscribers(reports, now_ms))
        except (Conflict, Malformed, NoRelease) as error:
            _log.debug("the head moves, or is restored just now: %s", error)
        pause(LOOK_S)


def _ending(ledger: Ledger, begun: State) -> Ending:
    state = ledger.state
    if state is None:
        return Ending(FAILED, 0, f"the server has lost version {begun.head.version}, and nobody brought it back")
    version, is_there = state.head.version, state.release.digest == begun.release.digest
    for entry in ledger.store.log(_LOOKED_AT):
        fields = entry.fields
        if fields.get("action") == "rollback" and _is_of(fields, begun):
            return Ending(ROLLED_BACK, version, fields.get("message", ""))
        if fields.get("action") == "guard failed" and fields.get("version") in {str(begun.head.version), str(version)}:
            return Ending(FAILED, version, f"{fields.get('message', '')}; {fields.get('why', '')}")
    return Ending(PASSED if is_there else REPLACED, version)


def _is_of(fields: Mapping[str, str], begun: State) -> bool:
    """Whether an entry tells of a step away from what was on trial, which may have another version after a loss."""
    version = fields.get("version", "")
    is_later = version.isdecimal() and int(version) > begun.head.version
    return is_later and fields.get("from_digest") == begun.release.digest
