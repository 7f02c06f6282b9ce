"""Asking one probe about one release, again and again, for as long as that is watched."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confbus_publisher.sources.errand import Errand

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from confbus.wire.snapshot import Snapshot
    from confbus_publisher.guard.probe import Probe

_GRACE_S = 0.5
"""What is cancelled at its deadline gets so long to say so."""


class Probing:
    """`look` never waits: the probe answers in a thread of its own, which may hang. One thread owns this object."""

    def __init__(
        self, probe: Probe, snapshot: Callable[[], Snapshot], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._probe = probe
        self._snapshot = snapshot
        self._clock = clock
        self._errand: Errand[str] = Errand(probe.name, deadline_s=probe.timeout_s)
        self._due_at = clock()
        self._failed = 0
        self._has_passed = False
        self._late = 0
        self._complaint = ""

    @property
    def is_out(self) -> bool:
        """Whether it was asked and has not answered yet."""
        return self._errand.is_out

    @property
    def objection(self) -> str:
        """What is wrong, when it failed so often in a row that the release is bad; else the empty text."""
        if self._failed < self._probe.failures:
            return ""
        times = f" {self._failed} times in a row" if self._failed > 1 else ""
        return f"the probe {self._probe.name} failed{times}: {self._complaint}"

    @property
    def is_content(self) -> bool:
        """Whether it answered, and had nothing to object last."""
        return self._has_passed and self._failed == 0

    def look(self) -> None:
        """Hear what the probe says by now, and ask it anew when that is due."""
        if not self.is_out:
            if self._clock() < self._due_at:
                return
            self._due_at, self._late = self._clock() + self._probe.interval_s, 0
        answer = self._errand.ask(self._ask, patience_s=0)
        if answer.done():
            self._hear(_objection(answer))
        elif self._errand.age_s > self._probe.timeout_s * (self._late + 1) + _GRACE_S:
            self._late += 1
            self._fail(f"no answer within {self._probe.timeout_s:g} s")

    async def _ask(self) -> str:
        return await self._probe.objection(self._snapshot())

    def _hear(self, objection: str) -> None:
        if not objection:
            self._has_passed, self._failed = True, 0
        elif not self._late:  # Its silence counted already.
            self._fail(objection)

    def _fail(self, complaint: str) -> None:
        self._failed += 1
        self._complaint = complaint[:300]


def _objection(answer: Future[str]) -> str:
    error = answer.exception()
    if error is None:
        return answer.result()
    return "no answer in time" if isinstance(error, TimeoutError) else f"it raised {type(error).__name__}"
