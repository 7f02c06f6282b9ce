"""How a publisher follows the overrides: it looks at them each turn, and takes away what ended once that is out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError, OutcomeUnknown, Refused
from confbus_publisher.ledger import Amendment
from confbus_publisher.overrides import beneath
from confbus_publisher.sources.overrides import OverridesSource

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.ledger import Ledger, Overrides, Store

_log = logging.getLogger("confbus.publisher")


class Overriding:
    """The overrides of one publisher; `source` goes on top of its inputs. `known` are those that it remembers.

    When they cannot be read, or the head is not the one that the ledger saw, the last ones stay, each to its end.
    `problems` says what is wrong with them, and is logged once.
    """

    def __init__(self, ledger: Ledger, known: Overrides | None) -> None:
        self.source = OverridesSource(known.texts, at_ms=known.now_ms) if known else OverridesSource()
        self._seen_problems: Mapping[str, str] = {}
        self._end_problems: Mapping[str, str] = {}
        self._ledger = ledger

    @property
    def problems(self) -> dict[str, str]:
        return {**self._seen_problems, **self._end_problems}

    def look(self) -> bool:
        """Take what is there now; True when that makes another layer. Raises `Unreachable`."""
        before = self.source.load()
        try:
            seen = self._ledger.look_at_overrides()
        except Refused as error:
            reason = f"the overrides cannot be read, those known stay: {error.reason}. {error.advice}"
            self._seen_problems = _told({"overrides": reason}, self._seen_problems)
            self.source.take(self.source.texts, at_ms=self._ledger.store.time_ms())
        else:
            if seen is not None:
                self.source.take(seen.texts, at_ms=seen.now_ms)
            self._seen_problems = _told({**self.source.problems, **self._of_sealed()}, self._seen_problems)
        return self.source.load() is not before

    def _of_sealed(self) -> dict[str, str]:
        """Those that count for nothing, since what is sealed is not overridden."""
        sealed = self._ledger.seals.keys if self._ledger.seals else frozenset[str]()
        reason = "counts for nothing: what is sealed is not overridden. `confbus unset` takes it away"
        found = (each.name for each in self.source.in_force if each.path[0] in sealed)
        return {name: f"the override {name!r} {reason}" for name in found}

    def guises(self, merge: Merge, quarantine: Collection[str]) -> Callable[[str], Collection[str]]:
        """What in `quarantine` is the same as `merge` but for overrides. Raises `Unreachable`."""
        return beneath.guises(merge, self._ledger, self._ledger.state, quarantine, self.source.known)

    def accounted(self, inputs: Inputs) -> str | None:
        """The digest that `inputs` made when the head was published, if that is what it was published from.

        Then all that differs now are overrides which somebody set, or which ended, since: a publisher that does not
        remember its last merge need not ask a person what to do about them.
        """
        state = self._ledger.state
        then = self.source.as_of(state.release.at_ms) if state else self.source
        if state is None or then.load().tree == self.source.load().tree:
            return None
        try:
            merge = inputs.load(then)
        except ConfBusError:
            return None
        return state.head.merged if merge.has_digest(state.head.merged) else None

    def withdraw_ended(self, author: str) -> None:
        """Take away what ended. Not before the head is without it: until then it tells why that differs."""
        problems: dict[str, str] = {}
        try:
            for name in withdraw(self._ledger.store, self.source, author):
                _log.info("override ended: %s", name)
        except (Refused, OutcomeUnknown) as error:
            problems = {"ended overrides": f"what ended cannot be taken away: {error}"}
        self._end_problems = _told(problems, self._end_problems)


def withdraw(store: Store, source: OverridesSource, author: str) -> Iterator[str]:
    """Take away what ended in `source`, unless somebody set it anew meanwhile; gives the names, one after the other.

    Raises `Refused` and `OutcomeUnknown` as the store does.
    """
    for name, text in source.ended.items():
        entry = {"action": "override ended", "path": name, "author": author}
        if store.amend(Amendment("overrides", name, None, entry, expected=text)):
            yield name


def _told(problems: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """The problems, those that are news in the log."""
    for name, problem in problems.items():
        if before.get(name) != problem:
            _log.warning("%s", problem)
    return dict(problems)
