"""The subscriber's rule: what a head read from the primary means to somebody who stands at another head."""

from __future__ import annotations

from enum import Enum

from confbus.wire.head import MAX_ANCESTORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from confbus.wire.head import Head


class Verdict(Enum):
    """What to do about a head. `APPLY` and `FORK` move forward, the others keep what runs."""

    SAME = "same"
    APPLY = "apply"
    FORK = "fork"
    REGRESSED = "regressed"
    LOST = "lost"


if TYPE_CHECKING:

    class Place(Protocol):
        """Where a head, or somebody who reports, stands."""

        @property
        def epoch(self) -> str: ...
        @property
        def revision(self) -> int: ...
        @property
        def change(self) -> str: ...
        @property
        def lineage(self) -> tuple[tuple[str, int], ...]: ...


def judge(mine: Head | None, theirs: Head | None) -> Verdict:
    """Compare the head I last judged with the one that is there now.

    I follow what proves to come after mine: a higher revision of my epoch, or an epoch that was anchored by somebody
    who knew mine up to my revision. All else is `REGRESSED`: the server went back in time, or was written by somebody
    who did not know my head, and which of the two cannot be told from here. A fork is progress in my epoch that does
    not descend from my change: the server lost changes and was written since; moving on is right, and worth a word.
    """
    if theirs is None:
        return Verdict.LOST
    if mine is None:
        return Verdict.APPLY
    if theirs.change == mine.change:
        return Verdict.SAME
    if not comes_after(theirs, mine):
        return Verdict.REGRESSED
    step = theirs.revision - mine.revision
    is_fork = theirs.epoch == mine.epoch and step <= MAX_ANCESTORS and mine.change not in theirs.ancestors
    return Verdict.FORK if is_fork else Verdict.APPLY


def comes_after(later: Place, earlier: Place) -> bool:
    """True when `later` was written above `earlier`: in the same epoch, or anchored by somebody who knew it."""
    if later.epoch == earlier.epoch:
        return later.revision > earlier.revision
    return any(epoch == earlier.epoch and earlier.revision <= last for epoch, last in later.lineage)
