"""What every source on another machine has in common: it is asked in the background, and may be away.

    due? → take off (a thread fetches) → … → land: take the answer, or keep the last good layer and say why

The publisher's one thread never waits for a server, except for the very first answer.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import TimeoutError as NotYet
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from confbus.errors import SourceFailed
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.layer import Layer
from confbus_publisher.sources.remote.breaker import Breaker, State
from confbus_publisher.sources.remote.fetch import fetch
from confbus_publisher.sources.remote.flight import take_off
from confbus_publisher.sources.remote.last_good import LastGood

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from pathlib import Path as FilePath

    from confbus.wire.frozen import Frozen
    from confbus.wire.path import Path
    from confbus_publisher.origin import Origin
    from confbus_publisher.sources.remote.answer import Answer
    from confbus_publisher.sources.remote.answer_cache import AnswerCache
    from confbus_publisher.sources.remote.request import Request

INTERVAL_S = 30.0
_GRACE_S = 1.0
"""How much longer than its deadline a fetch is waited for: the name service has none."""


class Reading(NamedTuple):
    """What an answer says, and where it says so."""

    tree: Frozen
    origins: Mapping[Path, Origin]


class RemoteSource:
    """Asks `request` at most every `interval_s`; each kind of it says how an answer is read.

    One thread at a time uses it. `health`, `last_good` and `is_circuit_open` may be read from any.
    """

    kind: ClassVar[str]
    watched: tuple[FilePath, ...] = ()

    def __init__(
        self,
        request: Request,
        *,
        name: str,
        priority: int,
        interpolates: bool,
        deletes: frozenset[Path],
        interval_s: float,
        cache: AnswerCache | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.priority = priority
        self._interpolates = interpolates
        self._deletes = deletes
        self._request = request
        self._interval_s = interval_s
        self._clock = clock
        self._breaker = Breaker(clock=clock)
        self._good = LastGood(self._layer, cache)
        self._asked_at = -math.inf
        self._flight: Future[Answer] | None = None
        self._outcome: Layer | SourceFailed | None = None
        self._wake: Callable[[], object] = _nobody

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._request.address.shown!r}, priority={self.priority})"

    @property
    def is_circuit_open(self) -> bool:
        """Whether the server failed so often that it is left alone for now."""
        return self._breaker.state is State.OPEN

    @property
    def health(self) -> str:
        """How it stands, in one line for people."""
        outcome, state = self._outcome, self._breaker.state
        said = [outcome.reason if isinstance(outcome, SourceFailed) else "well" if outcome else "not asked yet"]
        if state is not State.CLOSED:
            said.append(f"circuit breaker {state.value}, asked again in {self._breaker.wait_s:.0f} s")
        if self._good.layer:
            said.append(f"last good answer of {self._good.moment}")
        return "; ".join(said)

    @property
    def due_in_s(self) -> float:
        """In how many seconds to load again; infinite while a fetch is on its way, whose end wakes whoever listens."""
        if self._flight is not None:
            return 0.0 if self._flight.done() else math.inf
        return max(0.0, self._asked_at + self._interval_s - self._clock(), self._breaker.wait_s)

    @property
    def last_good(self) -> Layer | None:
        """The layer of the last good answer, also of one that an earlier process got; `load` does not give that one."""
        return self._good.layer

    def listen(self, wake: Callable[[], object]) -> None:
        """Have `wake` called, from another thread, when `load` may give something new."""
        self._wake = wake

    def begin(self) -> None:
        """Ask in the background, if it is time to. Whoever begins several sources waits for all of them at once."""
        if self._flight is None and self.due_in_s <= 0:
            self._take_off()

    def load(self) -> Layer:
        """The last answer's layer, and the very same one while it says the same. Only the first answer is waited for.

        Raises `SourceFailed` while the last answer is none, or of no use.
        """
        self.begin()
        if self._flight is not None and (self._outcome is None or self._flight.done()):
            self._land(self._flight)
        return self._result()

    def refresh(self) -> Layer:
        """As `load`, but ask now, whatever the interval says, and wait. An open circuit breaker is respected."""
        if self._flight is None:
            self._take_off()
        if self._flight is not None:
            self._land(self._flight)
        return self._result()

    def _read(self, answer: Answer) -> Reading:
        """What `answer` says. Raises `SourceFailed` with the place, or `Unfit`, when that is no configuration."""
        raise NotImplementedError

    def _layer(self, answer: Answer) -> Layer:
        tree, origins = self._read(answer)
        return Layer(self.name, self.priority, tree, origins, self.kind, self._deletes, self._interpolates)

    def _take_off(self) -> None:
        if self._outcome is None:
            self._good.recall()
        if not self._breaker.admits():
            return
        self._asked_at = self._clock()
        request, conditions = self._request, self._good.conditions() if self._request.method == "GET" else {}
        self._flight = take_off(
            lambda: fetch(request, conditions), name=f"confbus-fetch-{self.name}", landed=self._has_landed
        )

    def _has_landed(self) -> None:
        self._wake()  # Of whoever listens by now.

    def _land(self, flight: Future[Answer]) -> None:
        try:
            answer = flight.result(self._request.timeout_s + _GRACE_S)
        except NotYet:  # It goes on, and lands with a later load.
            self._outcome = self._failed(Unfit(f"no answer within {self._request.timeout_s:g} s"))
        except Unfit as unfit:
            self._breaker.fail()
            self._flight, self._outcome = None, self._failed(unfit)
        except Exception as error:  # noqa: BLE001 — the edge of its thread: what nobody foresaw is one source's trouble
            self._breaker.fail()
            self._flight, self._outcome = None, self._failed(Unfit(f"confbus itself failed: {type(error).__name__}"))
        else:
            self._flight, self._outcome = None, self._taken(answer)

    def _taken(self, answer: Answer) -> Layer | SourceFailed:
        try:
            layer = self._good.take(answer)
        except (Unfit, SourceFailed) as failure:
            (self._breaker.succeed if answer.is_no else self._breaker.fail)()
            return self._failed(failure)
        self._breaker.succeed()
        return layer

    def _failed(self, failure: Unfit | SourceFailed) -> SourceFailed:
        origin = failure.origin if isinstance(failure, SourceFailed) else self._request.address.shown
        advice = [failure.advice]
        if self._good.layer:
            advice.append(f"What it said at {self._good.moment} stays.")
        if self._breaker.state is not State.CLOSED:
            advice.append(f"After {self._breaker.failures} failures it is asked every {self._breaker.pause_s:g} s.")
        return SourceFailed(self.name, origin, failure.reason, advice=" ".join(filter(None, advice)))

    def _result(self) -> Layer:
        outcome = self._outcome or self._failed(Unfit("it was not asked yet"))
        if isinstance(outcome, SourceFailed):
            raise outcome.with_traceback(None)  # It is raised at each load: its traceback would grow without end.
        return outcome


def _nobody() -> None:
    """Listens."""
