"""Health gates: what must hold after a release is in force, or it is rolled back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.guard.probe import said
from confbus_publisher.sources.errand import Errand

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.wire.snapshot import Snapshot


class Gates:
    """The gates of one manager, asked in a thread of their own. `gates` may grow. One thread owns this object."""

    def __init__(self, gates: list[Callable[[Snapshot], object]], *, timeout_s: float) -> None:
        self._gates = gates
        self._timeout_s = timeout_s
        self._errand: Errand[str] = Errand("gates", deadline_s=self._timeout_s)

    def objection(self, snapshot: Snapshot) -> str:
        """Why the first gate that fails does so: it raises, returns False, or takes too long. Empty when none does."""
        if not self._gates:
            return ""
        if self._errand.is_out:
            self._errand.ask(lambda: self._pass(snapshot), patience_s=0)  # What it says now is about another release.
        if self._errand.is_out:
            return "a health gate still hangs since an earlier release"
        answer = self._errand.ask(lambda: self._pass(snapshot), patience_s=self._timeout_s)
        return answer.result() if answer.done() else f"a health gate gave no answer within {self._timeout_s:g} s"

    async def _pass(self, snapshot: Snapshot) -> str:
        for gate in tuple(self._gates):
            objection = await said(gate, snapshot)
            if objection:
                return objection
        return ""
