"""The subscriber's rule: what a head read from the primary means to somebody who stands at another head."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from confbus.wire.head import MAX_ANCESTORS

if TYPE_CHECKING:
    from confbus.wire.head import Head


class Verdict(Enum):
    """What to do about a head. `APPLY` and `FORK` move forward, the others keep what runs."""

    SAME = "same"
    APPLY = "apply"
    FORK = "fork"
    REGRESSED = "regressed"
    LOST = "lost"


def judge(mine: Head | None, theirs: Head | None) -> Verdict:
    """Compare the head I last judged with the one that is there now.

    I follow what proves to come after mine: a higher revision in my epoch, or in an epoch that was anchored by somebody
    who knew mine. Revisions count on across epochs, so one that is not above mine was anchored without my last
    changes. All else is `REGRESSED`: the server went back in time, or began anew without knowing me, and which of the
    two it was cannot be told from here. A fork is progress in my epoch that does not descend from my change: the
    server lost changes and was written since; moving on is right, and worth a word.
    """
    if theirs is None:
        return Verdict.LOST
    if mine is None:
        return Verdict.APPLY
    if theirs.change == mine.change:
        return Verdict.SAME
    step = theirs.revision - mine.revision
    if step <= 0 or mine.epoch not in (theirs.epoch, *theirs.lineage):
        return Verdict.REGRESSED
    is_fork = theirs.epoch == mine.epoch and step <= MAX_ANCESTORS and mine.change not in theirs.ancestors
    return Verdict.FORK if is_fork else Verdict.APPLY
