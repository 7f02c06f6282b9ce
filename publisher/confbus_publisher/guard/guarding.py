"""How a publisher guards what it puts out: it watches the fleet and the probes, and goes back when they object.

All there is to know lies in the store, so whoever is active next goes on where the last one was killed; also when the
time is up: then it judges by what is said now.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from confbus import candidate
from confbus.events import Fetched
from confbus.wire.sections import NOTHING
from confbus_publisher.guard import verdict
from confbus_publisher.guard.probing import Probing
from confbus_publisher.ledger import Why

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confbus.wire.release import Release
    from confbus.wire.snapshot import Snapshot
    from confbus_publisher.fleet import Report
    from confbus_publisher.guard.guard import Guard, Terms
    from confbus_publisher.guard.probe import Probe
    from confbus_publisher.ledger import Ledger, State
    from confbus_publisher.recollection import Recollection

_log = logging.getLogger("confbus.publisher")
LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Policy:
    """How releases are watched: the terms of new guards (None: they have none), and whom to ask beside the fleet."""

    terms: Terms | None = None
    probes: tuple[Probe, ...] = ()


class Guarding:
    """The guard of one publisher. What `recollection` has is gone back to when the store has it no more.

    `passed`, `rolled_back` and `failed` count what came of guards here, `trouble` says why one could not go back.
    """

    def __init__(
        self,
        ledger: Ledger,
        recollection: Recollection | None,
        policy: Policy,
        *,
        author: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy
        self.passed = 0
        self.rolled_back = 0
        self.failed = 0
        self.trouble = ""
        self._ledger = ledger
        self._recollection = recollection
        self._author = author
        self._clock = clock
        self._probings: tuple[str, tuple[Probing, ...]] = ("", ())

    @property
    def problems(self) -> dict[str, str]:
        return {"guard": self.trouble} if self.trouble else {}

    @property
    def pending(self) -> Guard | None:
        """The guard of the head, as far as it is known."""
        return self._ledger.state.guard if self._ledger.state else None

    @property
    def due_in_s(self) -> float:
        """In how many seconds to look again."""
        return LOOK_S if self.pending else float("inf")

    def judge(self, live: Sequence[Report], *, objection: str = "") -> Release | None:
        """Look after the pending guard, if there is one: go back, accept, or watch on. `objection` is one of the
        caller's own, beside those of the `live` instances and of the probes.

        Returns the release that it went back with. Raises `Conflict` when the head moved meanwhile.
        """
        guard = self._ledger.look_at_guard()
        if guard is None:
            return None
        probings = self._ask(guard)
        objections = (objection, verdict.objection(guard, live), *(probing.objection for probing in probings))
        why = next(filter(None, objections), "")
        if why:
            return self._go_back(guard, why)
        if guard.is_over(self._ledger.store.time_ms()) and all(probing.is_content for probing in probings):
            self._accept(guard)
        return None

    def _ask(self, guard: Guard) -> tuple[Probing, ...]:
        state = self._ledger.state
        if self._probings[0] != guard.change and state is not None:
            snapshot = cache(lambda: _snapshot(state))
            probes = (Probing(probe, snapshot, clock=self._clock) for probe in self.policy.probes)
            self._probings, self.trouble = (guard.change, tuple(probes)), ""
        for probing in self._probings[1]:
            probing.look()
        return self._probings[1]

    def _go_back(self, guard: Guard, why: str) -> Release | None:
        state, known = self._ledger.state, self._recollection.state if self._recollection else None
        retreat = (state and state.retreat) or (known and known.retreat)
        if retreat is None or retreat.release.digest != guard.digest:
            self.trouble = f"version {guard.version} does harm, and version {guard.back} is gone: {why}"
            _log.error("%s", self.trouble)
            entry = {"action": "guard failed", "version": str(guard.version), "author": self._author}
            self._ledger.end_guard(guard, {**entry, "message": f"guard: {why}", "why": f"version {guard.back} is gone"})
            self.failed += 1
            return None
        release = self._ledger.rollback(retreat.release, Why(self._author, f"guard: {why}", "rollback"))
        self.rolled_back, self.trouble = self.rolled_back + 1, ""
        facts = {"version": release.version, "bad_version": guard.version, "why": why}
        _log.warning("version %d is rolled back, as version %d: %s", guard.version, release.version, why, extra=facts)
        return release

    def _accept(self, guard: Guard) -> None:
        entry = {"action": "guarded", "version": str(guard.version), "author": self._author}
        for_s = (guard.until_ms - guard.since_ms) / 1000
        watched = f"watched for {for_s:g} s" if for_s else "judged at once"
        if self._ledger.end_guard(guard, {**entry, "message": watched}):
            self.passed, self.trouble = self.passed + 1, ""
            _log.info("version %d is accepted, %s", guard.version, watched, extra={"version": guard.version})


def _snapshot(state: State) -> Snapshot:
    """What a worker would read of `state`, as far as it is not sealed."""
    manifest = state.release.manifest
    blobs: dict[str, bytes] = {name: state.blobs[digest] for name, digest in manifest.sections.items()}
    apply = candidate.from_fetch(Fetched(state.head, manifest, blobs, state.release.at_ms), NOTHING)
    return candidate.snapshot(apply, candidate.assemble(apply))
