"""A circuit breaker: whoever does not answer is left alone for a while, then asked once."""

from __future__ import annotations

import threading
import time
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES = 3
PAUSE_S = 60.0


class State(Enum):
    """closed: calls go through; open: none does; half-open: the pause is over, and one call may find out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Opens after `failures` in a row, for `pause_s`. Safe from many threads; no lock is held during a call.

    A call asks `admits` first, and whoever was let through says how it went, with `succeed` or `fail`.
    """

    def __init__(
        self, *, failures: int = FAILURES, pause_s: float = PAUSE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.failures = failures
        self.pause_s = pause_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._opened_at: float | None = None
        self._is_probing = False

    def __repr__(self) -> str:
        return f"Breaker({self.state.value}, failures={self._failed})"

    @property
    def state(self) -> State:
        if self._opened_at is None:
            return State.CLOSED
        return State.OPEN if self.wait_s > 0 else State.HALF_OPEN

    @property
    def wait_s(self) -> float:
        """In how many seconds the pause is over; 0 when there is none."""
        opened_at = self._opened_at
        return 0.0 if opened_at is None else max(0.0, opened_at + self.pause_s - self._clock())

    def admits(self) -> bool:
        """Whether a call may go out now. Half-open, that is true for exactly one, until its outcome is told."""
        with self._lock:
            state = self.state
            if state is not State.HALF_OPEN:
                return state is State.CLOSED
            is_first, self._is_probing = not self._is_probing, True
            return is_first

    def succeed(self) -> None:
        """A call was answered."""
        with self._lock:
            self._failed, self._opened_at, self._is_probing = 0, None, False

    def fail(self) -> None:
        """A call was not answered. One that finds out nothing better after the pause begins another pause."""
        with self._lock:
            self._failed += 1
            if self._failed >= self.failures:
                self._opened_at = self._clock()
            self._is_probing = False
