"""How long a publisher looks at a loss before it mends it: until every instance had the time to see it too.

Instances that run something else than the publisher knows must be heard first; what is restored over them is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from confbus.wire.head import Head
    from confbus_publisher.fleet import Report


@dataclass(slots=True)
class Patience:
    """One publisher's patience with one loss after the other; `wait_s` is its limit. Instances tell a loss with their
    next poll, so one and a half polls are enough for all that can be reached."""

    wait_s: float
    _loss: tuple[str, float, int] | None = None
    _instances: frozenset[str] | None = None

    @property
    def is_waiting(self) -> bool:
        return self._loss is not None

    def rest(self, reports: Iterable[Report]) -> None:
        """Nothing is lost, and these instances live."""
        self._loss, self._instances = None, frozenset(report.instance for report in reports)

    def end(self) -> None:
        """The loss is mended or left to a person. Who lives has to be learned anew."""
        self._loss = self._instances = None

    def is_early(self, there: Head | None, reports: Sequence[Report], *, now_s: float, now_ms: int) -> bool:
        """True while the loss that left `there` behind must not be mended yet.

        It may be once every instance that lived before has reported since, by the server's clock `now_ms`, or after
        `wait_s`. Another head is another loss.
        """
        change = there.change if there else ""
        if self._loss is None or self._loss[0] != change:
            self._loss = change, now_s, now_ms
        _, seen_s, seen_ms = self._loss
        heard = {report.instance for report in reports if report.at_ms >= seen_ms}
        is_heard = self._instances is not None and self._instances <= heard
        return not is_heard and now_s - seen_s < self.wait_s
