"""What a publisher counts and times: plain numbers, which whoever shows them reads from any thread."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confbus.durations import Durations
from confbus.errors import ChecksFailed, ConfBusError, Conflict, OutcomeUnknown, Unreachable
from confbus.measures import Beat
from confbus_publisher.uptake_times import UptakeTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from confbus_publisher.fleet import Report
    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.ledger import State
    from confbus_publisher.sources.source import Source

RELOADS = ("changed", "unchanged", "failed")
PUBLISHES = ("published", "refused", "conflict", "unreachable", "unknown")
DEAF_S = 30.0
"""Who did not listen for so long does not know who was there before a release."""
_OUTCOMES: dict[type[ConfBusError], str] = {
    Conflict: "conflict",
    Unreachable: "unreachable",
    OutcomeUnknown: "unknown",
}


class Measures(Beat):
    """The numbers of one publisher, which tells it what it does.

    `reloads` and `publishes` count outcomes, `checks_failed` refused contents by rule; `held` are the sections that
    are kept back, `live` what the instances reported last, `read_at` when each source was last read, by its name.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.reloads: Counter[str] = Counter(dict.fromkeys(RELOADS, 0))
        self.reload_times = Durations()
        self.publishes: Counter[str] = Counter(dict.fromkeys(PUBLISHES, 0))
        self.publish_times = Durations()
        self.checks_failed: Counter[str] = Counter()
        self.held: tuple[str, ...] = ()
        self.live: tuple[Report, ...] = ()
        self.read_at: dict[str, float] = {}
        self.uptake_times = UptakeTimes()
        self.is_over = False
        self.clock = clock
        self._merge: Merge | None = None
        self._refused = ""
        self._heard_at = clock()

    def reload(self, inputs: Inputs, *on_top: Source) -> Merge:
        """As `Inputs.load`, counted."""
        started = time.perf_counter()
        try:
            merge = inputs.load(*on_top)
        except ConfBusError:
            self.reloads["failed"] += 1
            raise
        finally:
            now, failures = self.clock(), inputs.failures
            read = {source.name: now for source in inputs.sources if source.name not in failures}
            kept = {name: at for name, at in self.read_at.items() if name in failures}
            self.read_at = kept | read
        if merge is self._merge:
            self.reloads["unchanged"] += 1
        else:
            self.reloads["changed"] += 1
            self.reload_times.add(time.perf_counter() - started)
        self._merge = merge
        return merge

    @contextmanager
    def publishing(self, digest: str) -> Generator[None]:
        """Count what comes of publishing the content of that digest. One that is refused again and again is refused
        once."""
        started = time.perf_counter()
        try:
            yield
        except ConfBusError as error:
            outcome = _OUTCOMES.get(type(error), "refused")
            if outcome != "refused" or digest != self._refused:
                self.publishes[outcome] += 1
                self.checks_failed.update(set(error.rules) if isinstance(error, ChecksFailed) else ())
            self._refused = digest if outcome == "refused" else self._refused
            raise
        self.publishes["published"] += 1
        self.publish_times.add(time.perf_counter() - started)
        self._refused = ""

    def heard(self, live: Sequence[Report], state: State | None) -> None:
        """Take what the `live` instances report while `state` is in force."""
        self.live = tuple(live)
        is_new, self._heard_at = self.clock() - self._heard_at > DEAF_S, self.clock()
        if is_new:
            self.uptake_times.forget()
        if state is not None:
            self.uptake_times.heard(live, state)

    def end(self) -> None:
        """There is nothing to be shown any more."""
        self.is_over = True
        self.beat(at_once=True)
