"""The publisher: one loop that keeps the head in step with the sources.

    load the sources → take the lease → read the head → repair a loss → publish a change of the merge → tell

Every turn does all of it, and is harmless when there is nothing to do. What wakes the loop (a file, a notice, a
signal, the time) only says "look"; nothing depends on why.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError, Conflict, Malformed, NoRelease, OutcomeUnknown, Unreachable
from confbus.status import stand
from confbus_publisher import fleet, repair, standing
from confbus_publisher.decision import Step, decide
from confbus_publisher.judgement import judge_next
from confbus_publisher.ledger import Why, state_of
from confbus_publisher.overrides.overriding import Overriding
from confbus_publisher.patience import Patience
from confbus_publisher.standing import Standing
from confbus_publisher.wakes import Wakes

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.status import Stand
    from confbus.wire.head import Head
    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.ledger import Ledger, State
    from confbus_publisher.memory_file import MemoryFile

_log = logging.getLogger("confbus.publisher")
_RETRY_S = 1.0
_CALM = (Step.IN_STEP.value, standing.STANDBY)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the publisher looks by itself, in seconds; the lease runs out `lease_s` after its holder died, and
    instances find a server that began anew within `return_s`."""

    poll_s: float = 5.0
    report_s: float = 30.0
    lease_s: float = 15.0
    return_s: float = 12.5


class Publisher:
    """Keeps one namespace in step with `inputs`. `turn` does one round; `run` goes on until `stop`.

    `identity` names this process in the lease and the fleet, `author` in the audit trail. One thread owns it; `look`
    and `stop` may be called from any other, and from signal handlers.
    """

    def __init__(
        self,
        inputs: Inputs,
        ledger: Ledger,
        memory_file: MemoryFile,
        *,
        identity: str,
        author: str,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.inputs = inputs
        self.ledger = ledger
        self.standing = Standing()
        self.identity = identity
        self._author = author
        self._pace = pace or Pace()
        self._clock = clock
        self._memory_file = memory_file
        self._memory, self._accounted = memory_file.recall()
        self._overriding = Overriding(ledger, self._memory.overrides if self._memory else None)
        self._merge: Merge | None = None
        self._merged_at = clock()
        self._warnings: tuple[str, ...] = ()
        self._is_active = False
        self._holder = ""
        self._patience = Patience(2.5 * self._pace.poll_s, self._pace.return_s)
        self._has_seen = False
        self._told: tuple[Standing, float] | None = None
        self._checked_at = clock()
        self._is_whole = True
        self._wakes = Wakes()
        self._is_stopping = False

    def run(self) -> None:
        """Turn until `stop`; then give the lease up. Redis being away is waited out, never fatal."""
        while not self._is_stopping:
            again_s = self.turn()
            self._wakes.sleep(again_s)
        self._leave()

    def look(self) -> None:
        """Take a turn soon."""
        self._wakes.wake()

    def stop(self) -> None:
        """Finish the turn at hand, then leave."""
        self._is_stopping = True
        self._wakes.wake()

    def turn(self) -> float:
        """One round; returns in how many seconds the next is due. Errors become the standing, and are logged once."""
        try:
            refusal = self._load()
            self._take_lease()
            self._stand(*(self._keep_in_step(refusal) if self._is_active else self._stand_by(refusal)))
        except (Unreachable, OutcomeUnknown) as error:
            self._stand(standing.UNREACHABLE, str(error))
            return _RETRY_S
        except Conflict as error:
            _log.info("somebody else was faster: %s", error)
            return 0.0
        except ConfBusError as error:
            self._refuse(error)
        self._tell()
        longest_s = _RETRY_S if self.standing.state == standing.STARTING else self._pace.poll_s
        return min(longest_s, self._pace.lease_s / 3, self.inputs.due_in_s, self._overriding.source.ends_in_s)

    def _load(self) -> ConfBusError | None:
        """Take what the sources say now. Returns why they make no document; their last one stays then."""
        try:
            merge = self.inputs.load(self._overriding.source)
        except ConfBusError as error:
            return error
        if self._merge is None or merge.manifest != self._merge.manifest:
            self._merged_at = self._clock()
        self._merge = merge
        return None

    def _take_lease(self) -> None:
        self._holder = self.ledger.store.take_lease(self.identity, int(self._pace.lease_s * 1000))
        was_active, self._is_active = self._is_active, self._holder == self.identity
        if self._is_active and not was_active:
            _log.info("active")

    def _keep_in_step(self, refusal: ConfBusError | None) -> tuple[str, str]:
        """What an active publisher does: repair, whatever its sources say, then publish. Returns state and reason."""
        head, state = self._read_head()
        trouble = self._repair(head, state)
        if trouble:
            return trouble
        self._remember()
        refusal = self._override(refusal)
        self._remember()
        if refusal:
            raise refusal
        return self._publish_change()

    def _read_head(self) -> tuple[Head | None, State | None]:
        """The head in Redis, and what it stands for: None also when its release or a blob is gone."""
        try:
            state = self.ledger.refresh()
        except (Malformed, NoRelease) as error:
            _log.warning("the head is damaged: %s", error)
            return self.ledger.head, None
        if state and (not self._is_whole or self._clock() - self._checked_at >= self._pace.report_s):
            self._is_whole, self._checked_at = self.ledger.is_whole(), self._clock()
        return self.ledger.head, state if self._is_whole else None

    def _repair(self, head: Head | None, state: State | None) -> tuple[str, str] | None:
        """Undo a loss of data. Returns state and reason when nothing may be published now."""
        raw, now_ms = self.ledger.store.fleet(), self.ledger.store.time_ms()
        everybody = fleet.parse_all(raw)
        self._told = self._told if self.identity in raw else None  # The report went with the data.
        self.ledger.store.forget(fleet.silent(raw, everybody, now_ms))
        reports = fleet.subscribers(everybody, now_ms)
        self.ledger.fleet_size = len(reports)
        contents = [each for each in (self._merge and state_of(self._merge.encoded), state) if each]
        verdict = repair.assess(head, self._memory, contents, reports)
        if isinstance(verdict, repair.Lose):
            return standing.LOST, f"{verdict.reason}; `confbus publish --adopt` makes the sources the truth"
        if not self._has_seen and (head is None or isinstance(verdict, repair.Restore)):
            awaited = self._patience.waits_for(self.ledger.store, len(reports), now_s=self._clock())
            if awaited:
                return standing.STARTING, awaited
        if isinstance(verdict, repair.Restore):
            self._restore(verdict.state, verdict.stands, verdict.reason)
        return None

    def _restore(self, state: State, stands: tuple[Stand, ...], reason: str) -> None:
        release = self.ledger.anchor(state, Why(self._author, reason, "restore"), stands=stands)
        _log.warning("restored as version %d: %s", release.version, reason)

    def _override(self, refusal: ConfBusError | None) -> ConfBusError | None:
        """Take the overrides as they are with this head. Returns why what is merged now makes no document."""
        if self._overriding.look():
            refusal = self._load()
        self._accounted = self._accounted or self._overriding.accounted(self.inputs)
        return refusal

    def _publish_change(self) -> tuple[str, str]:
        merge, state = self._merge, self.ledger.state
        if merge is None:
            return standing.STARTING, ""
        head = state.head if state else None
        # The holds may have come back with a backup, while the head that is known already did not change.
        held = {**state.quarantine, **self.ledger.store.quarantine()} if state else {}
        decision = decide(merge.manifest, self._accounted, head, held)
        if decision.step is Step.PUBLISH:
            self._publish(merge, state)
        self._account(merge)
        if decision.step is Step.HELD:
            sections = ", ".join(decision.held)
            return decision.step.value, f"{sections}: still what was rolled back; mend it, or `confbus resume`"
        if decision.step is Step.DIVERGED:
            return decision.step.value, "the sources differ from the head since before this publisher was active"
        self._overriding.withdraw_ended(self._author)
        return Step.IN_STEP.value, ""

    def _publish(self, merge: Merge, state: State | None) -> None:
        self._warnings = judge_next(self.inputs, merge, state, self.ledger.store)
        started = time.perf_counter()
        before = state.release.manifest if state else None
        release = self.ledger.publish(merge.encoded, Why(self._author), origins=merge.origins)
        changed = list(before.changes_to(release.manifest)) if before else list(release.manifest)
        took_ms = (time.perf_counter() - started) * 1000
        _log.info("published version %d in %.1f ms: %s", release.version, took_ms, standing.named(changed))
        if self.ledger.unannounced:
            _log.warning("the notice was not sent, the fleet follows by polling: %s", self.ledger.unannounced)

    def _account(self, merge: Merge) -> None:
        """A merge that is the head's `merged` is accounted for, and so is the one this publisher began with."""
        state = self.ledger.state
        if self._accounted is None or (state and state.head.merged == merge.manifest.digest):
            self._accounted = merge.manifest.digest
            self._remember()

    def _remember(self) -> None:
        """Keep what the head stands for, in memory and on disk."""
        if self.ledger.state is not None:
            self._has_seen = True
            self._memory = self.ledger.state
            self._memory_file.keep(self._memory, self._accounted)

    def _stand_by(self, refusal: ConfBusError | None) -> tuple[str, str]:
        """Follow the head, so that a take-over knows the last state. Returns state and reason."""
        seen = self._read_head()[1]
        refusal = self._override(refusal)
        if seen and repair.is_progress(self._memory, seen):
            self._remember()
        if refusal:
            raise refusal
        merge, state, age_s = self._merge, self.ledger.state, self._clock() - self._merged_at
        if merge and state and (state.head.merged == merge.manifest.digest or age_s > 2 * self._pace.lease_s):
            # The active publisher had its time with this merge: what still differs is another configuration.
            self._accounted = merge.manifest.digest
        return standing.STANDBY, f"{self._holder} is active"

    def _refuse(self, error: ConfBusError) -> None:
        why = str(error).removeprefix("Refused:").strip()  # the state says it already
        if self._stand(standing.REFUSED, why) and self._is_active:
            try:
                self.ledger.refused(Why(self._author), why)
            except ConfBusError as failure:
                _log.warning("the refusal is not in the audit trail: %s", failure)

    def _stand(self, state: str, why: str) -> bool:
        """Take a standing; True when it is news, which is logged once."""
        failures = {name: str(failure) for name, failure in self.inputs.failures.items()}
        failures |= self._overriding.problems
        now = Standing(state, why, self._is_active, failures, self._warnings)
        if now == self.standing:
            return False
        for complaint in now.complaints_after(self.standing, told=self._overriding.problems):
            _log.warning("%s", complaint)
        if state != self.standing.state or (why != self.standing.why and state != standing.UNREACHABLE):
            level = logging.INFO if state in _CALM else logging.WARNING
            _log.log(level, "%s%s", state, why and f": {why}")
        self.standing = now
        return True

    def _tell(self) -> None:
        """Tell the fleet, at once on news, else every report interval."""
        now = self._clock()
        if self._told and self._told[0] == self.standing and now - self._told[1] < self._pace.report_s:
            return
        try:
            store, seen = self.ledger.store, stand(self._memory.head if self._memory else None)
            at_ms, interval_s = store.time_ms(), self._pace.report_s
            report = self.standing.report(self.identity, at_ms=at_ms, interval_s=interval_s, seen=seen)
            store.report(self.identity, report)
            self._told = (self.standing, now)
        except ConfBusError as error:
            _log.warning("the fleet was not told: %s", error)

    def _leave(self) -> None:
        try:
            self.ledger.store.drop_lease(self.identity)
            self.ledger.store.forget([self.identity])
        except ConfBusError as error:
            _log.warning("left without giving up the lease: %s", error)
