"""What a manager does in its worker's thread: turns of the publisher, rollbacks, and what readers see of them."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError, ConfigRefused, InvalidSettings, NoRelease, NotStarted
from confbus.wire.diff import diff
from confbus_publisher.ledger import Why
from confbus_publisher.ledger.rollback import target
from confbus_publisher.manager.admission import absences, expire
from confbus_publisher.manager.metrics import Tally
from confbus_publisher.manager.reader import told
from confbus_publisher.manager.result import ReloadResult, ReloadStatus
from confbus_publisher.manager.verdict import errors_of, status_of
from confbus_publisher.manager.version import ConfigVersion
from confbus_publisher.oneshot import publish_once
from confbus_publisher.standing import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.errors import SourceFailed
    from confbus.wire.head import Head
    from confbus.wire.release import Release
    from confbus.wire.snapshot import Snapshot
    from confbus_publisher.manager.admission import Admitted
    from confbus_publisher.manager.gates import Gates
    from confbus_publisher.manager.reader import Reader
    from confbus_publisher.manager.turn import Turn, TurningPublisher

_log = logging.getLogger("confbus_publisher")
_PAUSE_S = 0.1
_UNDONE = {ReloadStatus.SUCCESS, ReloadStatus.PARTIAL, ReloadStatus.NO_CHANGE}


class Engine:
    """One manager's publisher and reader. All methods are for one thread; `versions`, `tally` and `failures` are
    replaced whole, so that any thread may look at them. `again_s` is in how many seconds the next `check` is due."""

    def __init__(
        self,
        publisher: TurningPublisher,
        reader: Reader,
        gates: Gates,
        *,
        author: str,
        kept: int,
        is_watching: bool,
    ) -> None:
        self.reader = reader
        self.tally = Tally()
        self.versions: tuple[ConfigVersion, ...] = ()
        self.failures: dict[str, SourceFailed] = {}
        self.ending = threading.Event()
        self._publisher = publisher
        self._ledger = publisher.ledger
        self._gates = gates
        self._author = author
        self._kept = kept
        self._is_watching = is_watching
        self._listed: Head | None = None
        self._failed: Head | None = None
        self.again_s = 0.0

    def begin(self, timeout_s: float) -> ReloadResult:
        """The first reload that leaves something to be read; Redis and other instances are waited for.

        Raises what refuses the sources, `ConfigRefused` for a validator or a gate, `NotStarted` after `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            result, turn, objection = self._reload(is_asked=True)
            if objection and result.status is not ReloadStatus.ROLLED_BACK and self._ledger.head is not None:
                raise ConfigRefused(self._ledger.head.version, objection)
            if self.reader.snapshot is not None:
                self.tally.count(result)
                return result
            if turn.refusal is not None:
                raise turn.refusal
            if time.monotonic() >= deadline or self.ending.wait(min(turn.again_s, _PAUSE_S)):
                why = turn.standing.why or f"the publisher is {turn.standing.state}"
                raise NotStarted(f"No configuration within {timeout_s:g} s: {why}", advice="Mend it, and start again.")

    def reload(self, name: str | None = None) -> ReloadResult:
        """Ask the sources now, the one called `name` or each of them anew, and put out what changed."""
        known = [source.name for source in self._publisher.inputs.sources]
        if name is not None and name not in known:
            return self._counted(ReloadResult(ReloadStatus.FAILED, self._version, errors=(_unknown(name, known),)))
        return self._counted(self._reload(name, is_asked=True)[0])

    def check(self) -> float:
        """What is done when nobody asks: the same, counted only when something new came of it. Returns `again_s`.

        Without watching, the sources are left alone, and only the head is followed.
        """
        result = self._reload(is_looking=self._is_watching)[0]
        if self.tally.is_news(result):
            self._counted(result)
        return self.again_s

    def rollback(self, steps: int, message: str) -> ReloadResult:
        """Make the content `steps` accepted contents ago the next version, as `confbus rollback` does."""
        return self._counted(self._changed(lambda: self._roll_back(steps, message), ReloadStatus.ROLLED_BACK))

    def publish(self, message: str, *, force: bool) -> ReloadResult:
        """Make what the sources say the next version, as `confbus publish` does."""
        return self._counted(self._changed(lambda: self._put_out(message, force=force), ReloadStatus.SUCCESS))

    def add(self, source: Admitted, *, is_begun: bool) -> None:
        """Take one more source; when others run already, at once, or not at all.

        Raises what it fails with, or what refuses the merge with it; then everything is as before.
        """
        inputs = self._publisher.inputs
        before = inputs.sources
        if source.name in {each.name for each in before}:
            reason = "another source has this name already"
            raise InvalidSettings(f"source {source.name}", reason, advice="Give one of them a name.")
        if not is_begun:
            inputs.sources = (*before, source)
            return
        source.load()
        inputs.sources = (*before, source)
        result, turn, objection = self._reload()
        self._counted(result)
        if turn.refusal is not None or objection:
            inputs.sources = before
            raise turn.refusal or ConfigRefused(turn.published.version if turn.published else 0, objection)

    def knows(self, change: str) -> bool:
        """Whether the head's `change` is the last one here, or before it."""
        state = self._ledger.state
        return state is not None and change in {state.head.change, *state.head.ancestors}

    def leave(self) -> None:
        """Give everything up that others could wait for; the last snapshot stays."""
        self.reader.close()
        self._publisher.leave()
        self._ledger.store.close()

    @property
    def _version(self) -> int | None:
        snapshot = self.reader.snapshot
        return snapshot.version if snapshot is not None else None

    def _reload(
        self, name: str | None = None, *, is_asked: bool = False, is_looking: bool = True
    ) -> tuple[ReloadResult, Turn, str]:
        """A turn, what readers make of it, and what came of both; and what a validator or a gate objected."""
        started, before = time.perf_counter(), self.reader.snapshot
        sources = self._publisher.inputs.sources
        if is_asked:
            expire(sources, name)
        turn = self._publisher.take_turn(is_looking=is_looking)
        self.again_s = turn.again_s
        self.failures = {**self._publisher.inputs.failures, **absences(sources)}
        if is_looking and turn.refusal is None and turn.standing.state != UNREACHABLE:
            self.tally.checked()
        errors = errors_of(turn, self.failures)
        objection = ""
        try:
            objection, is_undone = self._follow(turn.published)
            status = status_of(turn, self.failures, is_new=self._version != (before and before.version))
            if objection:
                status = _refused(is_undone=is_undone)
        except ConfBusError as error:
            status, errors = ReloadStatus.FAILED, (*errors, str(error))
        errors = (objection, *errors) if objection else errors
        return self._result(status, before, started, errors), turn, objection

    def _follow(self, published: Release | None) -> tuple[str, bool]:
        """Let readers have what the head stands for. Returns what a validator or a gate objects to it, if any does,
        and whether what was accepted before is in force again for that.

        It is objected to what was `published` here, and to what is on trial while this publisher is active.
        """
        state = self._ledger.state
        if state is None:
            return "", False
        objection = self.reader.follow(state)
        is_judge = published is not None or self._publisher.standing.is_active
        is_new = published is not None or (state.guard is not None and is_judge) or state.head == self._failed
        if not objection and is_new and self.reader.snapshot is not None:
            objection = self._gates.objection(self.reader.snapshot)
            self._failed = state.head if objection else None
        good = self._publisher.settle(objection) if is_judge else None
        if good is not None:
            objection = "; and so was ".join(filter(None, (objection or good.message, self._again(good))))
        self._list()
        return objection, good is not None

    def _again(self, good: Release) -> str:
        """Let readers have what was accepted. Returns what is objected to that, or nothing."""
        again = self.reader.follow(self._ledger.state) if self._ledger.state else ""
        return again and f"version {good.version}: {again}"

    def _changed(self, change: Callable[[], Release | None], status: ReloadStatus) -> ReloadResult:
        """What came of a change of the head that somebody asked for. `change` returns what has to be judged anew."""
        started, before = time.perf_counter(), self.reader.snapshot
        try:
            published = change()
            objection, is_undone = self._follow(published)
        except ConfBusError as error:
            return self._result(ReloadStatus.FAILED, before, started, (str(error),))
        if objection:
            return self._result(_refused(is_undone=is_undone), before, started, (objection,))
        is_new = self._version != (before and before.version)
        return self._result(status if is_new else ReloadStatus.NO_CHANGE, before, started, ())

    def _roll_back(self, steps: int, message: str) -> Release | None:
        if steps < 1:
            raise NoRelease(f"{steps} steps lead nowhere", advice="Go back at least 1.")
        state = self._ledger.refresh()
        if state is None:
            raise NoRelease("Nothing is published yet", advice="Start the manager first.")
        good = target(state, self._ledger.history(), steps=steps)
        self._ledger.rollback(good, Why(self._author, message, "rollback"))
        return None

    def _put_out(self, message: str, *, force: bool) -> Release | None:
        publisher, why = self._publisher, Why(self._author, message)
        merge = publisher.merge()
        terms = publisher.guard.terms
        return publish_once(
            self._ledger, merge, why, inputs=publisher.inputs, identity=publisher.identity, force=force, terms=terms
        )

    def _list(self) -> None:
        state = self._ledger.state
        if state is not None and state.head != self._listed:
            self.versions = tuple(map(ConfigVersion.from_release, self._ledger.history(self._kept)))
            self._listed = state.head

    def _result(
        self, status: ReloadStatus, before: Snapshot | None, started: float, errors: tuple[str, ...]
    ) -> ReloadResult:
        after = self.reader.snapshot
        changes = tuple(diff(told(before), told(after))) if after is not before else ()
        return ReloadResult(status, self._version, changes, errors, (time.perf_counter() - started) * 1000)

    def _counted(self, result: ReloadResult) -> ReloadResult:
        level = logging.DEBUG if result.status in _UNDONE else logging.WARNING
        errors = "; ".join(result.errors)
        _log.log(level, "reload: %s in %.1f ms%s", result.status.value, result.duration_ms, errors and f": {errors}")
        self.tally.count(result)
        return result


def _refused(*, is_undone: bool) -> ReloadStatus:
    return ReloadStatus.ROLLED_BACK if is_undone else ReloadStatus.VALIDATION_FAILED


def _unknown(name: str, known: list[str]) -> str:
    return f"There is no source {name!r}. There are {', '.join(known) or 'none'}."
