"""The publisher: one loop that keeps the head in step with the sources.

    load the sources → read the head → take the lease → repair a loss → publish a change of the merge → tell

Every turn does all of it, and is harmless when there is nothing to do. What wakes the loop (a file, a notice, a
signal, the time) only says "look"; nothing depends on why. The head is read before the lease is taken: a process that
was stopped for longer than its lease finds that it is another one's, or that the head moved.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError, Conflict, OutcomeUnknown, Unreachable
from confbus.status import stand
from confbus_publisher import fleet, refusals, repair, standing
from confbus_publisher.decision import Decision, Step, decide
from confbus_publisher.divergence import Divergence
from confbus_publisher.guard.guarding import Guarding, Policy
from confbus_publisher.holds.holding import Holding
from confbus_publisher.judgement import judge_next
from confbus_publisher.last_turn import LastTurn
from confbus_publisher.lease import Lease
from confbus_publisher.ledger import Why, state_of
from confbus_publisher.measures import Measures
from confbus_publisher.mending import Mending
from confbus_publisher.overrides.overriding import Overriding
from confbus_publisher.pace import Pace
from confbus_publisher.patience import Patience
from confbus_publisher.races import Races
from confbus_publisher.recollection import Recollection
from confbus_publisher.sealing.renewal import renew
from confbus_publisher.sealing.resealing import vouch
from confbus_publisher.standing import Standing
from confbus_publisher.telling import Telling
from confbus_publisher.wakes import Wakes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confbus.wire.head import Head
    from confbus_publisher.fleet import Report
    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.ledger import Ledger, State
    from confbus_publisher.memory_file import MemoryFile

_RETRY_S = 1.0


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
        guard: Policy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        pace = pace or Pace()
        patience = Patience(2.5 * pace.poll_s, pace.return_s)
        self.inputs = inputs
        self.ledger = ledger
        self.identity = identity
        self.last_turn: LastTurn | None = None
        self.measures = Measures(clock=clock)
        self._author = author
        self._pace = pace
        self._clock = clock
        self._recollection = Recollection(memory_file)
        known = self._recollection.state
        self._overriding = Overriding(ledger, known.overrides if known else None)
        self._holding = Holding(ledger, known.holds if known else None)
        self._mending = Mending(ledger, self._recollection, patience, author=author, check_s=pace.report_s, clock=clock)
        self._guarding = Guarding(ledger, self._recollection, guard or Policy(), author=author, clock=clock)
        self._telling = Telling(ledger, identity=identity, interval_s=pace.report_s, clock=clock)
        self._merge: Merge | None = None
        self._merged_at = clock()
        self._warnings: tuple[str, ...] = ()
        self._lease = Lease(ledger, identity, ttl_s=pace.lease_s, clock=clock)
        self._divergence = Divergence(clock=clock)
        self._reports = fleet.Reports()
        self._races = Races()
        self._wakes = Wakes()
        self._woken_by: tuple[str, ...] = ("the start",)
        self._is_stopping = False

    @property
    def standing(self) -> Standing:
        """Where it stands since its last turn."""
        return self._telling.standing

    @property
    def guard(self) -> Policy:
        """How what it publishes is watched; another one counts from the next release on."""
        return self._guarding.policy

    @guard.setter
    def guard(self, policy: Policy) -> None:
        self._guarding.policy = policy

    def run(self) -> None:
        """Turn until `stop`; then give the lease up. Redis being away is waited out, never fatal."""
        while not self._is_stopping:
            self._woken_by = self._wakes.sleep(self.turn())
        self._lease.give_up()
        self.measures.end()

    def look(self, why: str = "somebody") -> None:
        """Take a turn soon. `why` is for the log: every turn looks at everything."""
        self._wakes.wake(why)

    def stop(self) -> None:
        """Finish the turn at hand, then leave."""
        self._is_stopping = True
        self._wakes.wake("the end")

    def turn(self) -> float:
        """One round; returns in how many seconds the next is due. Errors become the standing, and are logged once."""
        due_in_s = self._take_turn()
        self.last_turn = LastTurn(self._clock(), due_in_s, self._merge is not None)
        self.measures.beat()
        self.inputs.journal.tell(self._woken_by)
        self._woken_by = ()
        return due_in_s

    def _take_turn(self) -> float:
        try:
            refusal = self._load()
            head, state = self._mending.look()
            is_active = self._lease.take()
            self._stand(*(self._keep_in_step(head, state, refusal) if is_active else self._stand_by(state, refusal)))
        except (Unreachable, OutcomeUnknown) as error:
            self._stand(standing.UNREACHABLE, str(error))
            return _RETRY_S
        except Conflict as error:
            if self._races.lose(error):
                return 0.0
            self._stand(standing.REFUSED, self._mending.damage or str(error))
        except ConfBusError as error:
            self._refuse(error)
        else:
            self._races.end()
        self._tell()
        longest_s = _RETRY_S if self.standing.state == standing.STARTING else self._pace.poll_s
        ends_in_s = min(self._overriding.source.ends_in_s, self._holding.ends_in_s)
        return min(longest_s, self._lease.due_in_s, self.inputs.due_in_s, ends_in_s, self._guarding.due_in_s)

    def _load(self) -> ConfBusError | None:
        """Take what the sources say now. Returns why they make no document; their last one stays then."""
        try:
            merge = self.measures.reload(self.inputs, self._overriding.source)
        except ConfBusError as error:
            return error
        if self._merge is None or merge.manifest != self._merge.manifest:
            self._merged_at = self._clock()
            self._recollection.merges.append(merge.manifest.digest)
        self._merge = merge
        return None

    def _keep_in_step(self, head: Head | None, state: State | None, refusal: ConfBusError | None) -> tuple[str, str]:
        """What an active publisher does: repair, whatever its sources say, then publish. Returns state and reason."""
        contents = [each for each in (self._merge and state_of(self._merge.encoded), state) if each]
        live = self._heard()
        trouble = self._mending.mend(head, contents, live)
        if trouble:
            return trouble
        self._remember()
        refusal = self._override(refusal)
        self._watch_over(live)
        self._remember()
        if refusal:
            raise refusal
        return self._publish_change()

    def _watch_over(self, live: Sequence[Report]) -> None:
        """Go back to what was accepted when what is watched does harm."""
        self._guarding.judge(live)

    def _heard(self) -> list[Report]:
        """What the live instances report; the silent are dropped."""
        store = self.ledger.store
        raw, now_ms = store.fleet(), store.time_ms()
        everybody = list(self._reports.read(raw).values())
        self._telling.heard_of(raw)
        store.forget(fleet.silent(raw, everybody, now_ms))
        reports = fleet.subscribers(everybody, now_ms)
        self.ledger.fleet_size = len(reports)
        self.measures.heard(reports, self.ledger.state)
        return reports

    def _override(self, refusal: ConfBusError | None) -> ConfBusError | None:
        """Take holds and overrides as they are with this head. Returns why what is merged now makes no document."""
        recollection, before = self._recollection, self._merge
        self._holding.look()
        if self._overriding.look():
            refusal = self._load()
            recollection.merges.clear()
            if before and self._merge and recollection.has_parted(before, self.ledger.head):
                # An override is not the change of the sources that lets other sources out.
                recollection.accounted = self._merge.manifest.digest
        recollection.accounted = recollection.accounted or self._overriding.accounted(self.inputs)
        return refusal

    def _publish_change(self) -> tuple[str, str]:
        merge, state = self._merge, self._recollection.quarantined(self.ledger)
        if merge is None:
            return standing.STARTING, ""
        head, held = (state.head, state.quarantine) if state else (None, dict[str, str]())
        running = state.release.manifest if state else None
        self._recollection.recognise(head)
        accounted = self._recollection.accounted
        if state:
            vouch(state.release.manifest, state.blobs, self.inputs.seals)
        guises = self._overriding.guises(merge, held)
        decision = decide(merge.manifest, accounted, head, held, aliases=merge.aliases, guises=guises, running=running)
        kept_back = self._holding.keep_back(merge.manifest, running) if decision.step is Step.PUBLISH else []
        if kept_back:
            decision = Decision(Step.HELD, tuple(hold.section for hold in kept_back))
        self.measures.held = decision.held
        if decision.step is Step.PUBLISH:
            with self.measures.publishing(merge.manifest.digest):
                self._publish(merge, state)
        elif state:
            renew(self.ledger, self.inputs.seals, self._author, merge)
        self._recollection.account(merge.manifest.digest, self.ledger.state)
        self._holding.withdraw_ended(self._author)
        if decision.step is Step.HELD:
            return decision.step.value, "; ".join(map(str, kept_back)) or decision.complaint(held)
        if decision.step is Step.DIVERGED:
            return decision.step.value, f"{self._difference()}; change a source, or `confbus publish`"
        self._overriding.withdraw_ended(self._author)
        guard = self._guarding.pending
        return Step.IN_STEP.value, f"version {guard.version} is watched" if guard else ""

    def _publish(self, merge: Merge, state: State | None) -> None:
        journal = self.inputs.journal
        with journal.stage("check"):
            self._warnings = judge_next(self.inputs, merge, state, self.ledger.store)
        started = time.perf_counter()
        before = state.release.manifest if state else None
        why, terms = Why(self._author), self._guarding.policy.terms
        with journal.stage("publish"):
            release = self.ledger.publish(merge.encoded, why, origins=merge.origins, terms=terms)
        changed = list(before.changes_to(release.manifest)) if before else list(release.manifest)
        took_ms = (time.perf_counter() - started) * 1000
        self._telling.published(release.version, changed, took_ms)

    def _remember(self) -> None:
        self._recollection.keep(self.ledger.state)

    def _stand_by(self, seen: State | None, refusal: ConfBusError | None) -> tuple[str, str]:
        """Follow the head, so that a take-over knows the last state. Returns state and reason."""
        refusal = self._override(refusal)
        if seen and repair.is_progress(self._recollection.state, seen):
            self._remember()
        if refusal:
            raise refusal
        why, merge, state = f"{self._lease.holder} is active", self._merge, self.ledger.state
        if merge and state and merge.has_digest(state.head.merged):
            self._recollection.accounted = merge.manifest.digest
        elif merge and state and self._clock() - self._merged_at > 2 * self._pace.lease_s:
            # The active publisher had its time with this merge: what still differs is another configuration.
            self._recollection.accounted = merge.manifest.digest
            why = "; ".join(filter(None, (why, self._difference(for_s=self._pace.lease_s))))
        return standing.STANDBY, why

    def _difference(self, *, for_s: float = 0.0) -> str:
        merge, state = self._merge, self.ledger.state
        return self._divergence.between(state, merge.encoded, for_s=for_s) if merge and state else ""

    def _refuse(self, error: ConfBusError) -> None:
        why = str(error).removeprefix("Refused:").strip()  # the state says it already
        if self._stand(standing.REFUSED, why) and self._lease.is_mine:
            refusals.record(self.ledger, Why(self._author), why)

    def _stand(self, state: str, why: str) -> bool:
        """Take a standing; True when it is news."""
        told = self._overriding.problems | self._guarding.problems | self._holding.problems
        failures = {name: str(failure) for name, failure in self.inputs.failures.items()} | told
        ended = self._guarding.passed, self._guarding.rolled_back, self._guarding.failed
        now = Standing(state, why, self._lease.is_mine, failures, self._warnings, *ended)
        return self._telling.take(now, told=told)

    def _tell(self) -> None:
        known = self._recollection.state
        self._telling.tell(stand(known.head if known else None))
