"""The publisher as a manager drives it: turn by turn, each telling what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from confbus_publisher.publisher import Publisher
from confbus_publisher.standing import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus.errors import ConfBusError
    from confbus.wire.release import Release
    from confbus_publisher.fleet import Report
    from confbus_publisher.inputs import Merge
    from confbus_publisher.ledger import State
    from confbus_publisher.standing import Standing

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Turn:
    """`published` is the release that this turn put out, `refusal` why none could be; `again_s` is when the next is
    due."""

    standing: Standing
    published: Release | None
    refusal: ConfBusError | None
    again_s: float


class TurningPublisher(Publisher):
    """A `Publisher` that is never `run`."""

    _published: Release | None = None
    _refusal: ConfBusError | None = None
    _unusable: ConfBusError | None = None
    _is_looking = True
    _live: Sequence[Report] = ()

    def take_turn(self, *, is_looking: bool) -> Turn:
        """One round, and another at once when somebody else was faster. Without `is_looking` the sources say what they
        said when they were looked at last."""
        self._published = self._refusal = None
        self._is_looking = is_looking
        again_s = self.turn()
        for _ in range(_ATTEMPTS):
            if again_s > 0:
                break
            again_s = self.turn()
        return Turn(self.standing, self._published, self._refusal, again_s)

    def merge(self) -> Merge:
        """What the sources say now, with the overrides of this moment on top.

        Raises what the sources fail with, what makes no document of them, and `Unreachable`.
        """
        self._is_looking = True
        self.ledger.refresh()
        self._overriding.look()
        refusal = self._load()
        if refusal is not None:
            raise refusal
        return cast("Merge", self._merge)

    def settle(self, objection: str) -> Release | None:
        """Look after the guard of the head, now that readers and gates have said what they object to it.

        Returns the release that it went back with, if it did. Raises `Conflict` when the head moved meanwhile.
        """
        return self._guarding.judge(self._live, objection=objection)

    def leave(self) -> None:
        """Give the lease up, unless Redis is away: then it runs out by itself, and nobody waits here."""
        if self.standing.state != UNREACHABLE:
            self._lease.give_up()
        self.measures.end()

    def _watch_over(self, live: Sequence[Report]) -> None:
        """Not yet: the readers of the manager are asked after the turn."""
        self._live = live

    def _load(self) -> ConfBusError | None:
        if self._is_looking:
            self._unusable = super()._load()
        return self._unusable

    def _publish(self, merge: Merge, state: State | None) -> None:
        super()._publish(merge, state)
        self._published = self.ledger.state.release if self.ledger.state else None

    def _refuse(self, error: ConfBusError) -> None:
        self._refusal = error
        super()._refuse(error)
