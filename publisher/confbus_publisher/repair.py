"""After Redis lost data: what does the publisher do? Pure: from what is there, what I know and what the fleet says.

A publisher that knows the last head writes it again, above all it knows, in a new epoch; it does not merge. One that
knows less than the fleet, or something else, changes nothing that a live instance runs, and asks a person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confbus.rule import Verdict, comes_after, judge
from confbus.status import stand

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from confbus.rule import Place
    from confbus.status import Stand
    from confbus.wire.head import Head
    from confbus_publisher.fleet import Report
    from confbus_publisher.ledger import State

_FORWARD = {Verdict.APPLY, Verdict.FORK}
_STUCK = {"regressed", "lost"}


@dataclass(frozen=True, slots=True)
class Fine:
    """Nothing is lost, as far as anybody knows."""


@dataclass(frozen=True, slots=True)
class Restore:
    """Write `state` again in a new epoch, above `stands`; instances that stand there or before shall follow."""

    state: State
    stands: tuple[Stand, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Lose:
    """What was lost is nowhere, or two histories contradict: publish nothing, ask for `--adopt`."""

    reason: str


def assess(
    there: Head | None, memory: State | None, contents: Iterable[State], reports: Sequence[Report]
) -> Fine | Restore | Lose:
    """What to do when the head is `there`, the last state I know is `memory`, and live subscribers say `reports`.

    `contents` are states whose bytes are at hand: what is there, unless its release or a blob of it is gone, and what
    the sources say now. The newest state that anybody knows of wins: it stays, or it is written again when its bytes
    are at hand, or it is lost. Whatever was rolled back stays held.
    """
    contents = tuple(contents)
    whole = next((state for state in contents if there and state.head.change == there.change), None)
    states = (memory, *contents) if memory else contents  # what was published is known by its number
    newest = memory.head if memory and judge(memory.head, there) not in _FORWARD else there
    known = tuple(place for head in (there, memory.head if memory else None) if (place := stand(head)))
    loss = _loss(there, memory, whole=whole)
    ahead = _ahead(newest, reports, is_lost=bool(loss))
    if ahead:
        best = max(ahead, key=lambda place: place.revision)
        if not _is_beyond(best, (*ahead, *known)):
            return Lose(f"instances follow different histories, one of them to version {best.version}")
        return _again(best, f"the fleet is at revision {best.revision}", newest=newest, states=states, stands=ahead)
    if there and memory and _is_foreign(there, memory.head):
        return Lose(f"revision {there.revision} was written without knowing {memory.head.revision}, the last I know")
    if whole and memory and newest is memory.head and loss and whole.quarantine.keys() & _pairs(memory):
        return Lose(f"version {memory.head.version}, the last I know, was rolled back in what is there")
    return _again(newest, loss, newest=newest, states=states, stands=known) if newest and loss else Fine()


def is_progress(memory: State | None, there: State) -> bool:
    """True when `there` is what I know or came after it, so that nothing is forgotten when I remember it instead."""
    return not _loss(there.head, memory, whole=there)


def _loss(there: Head | None, memory: State | None, *, whole: State | None) -> str:
    """What is wrong with what is there, or the empty text."""
    if there is None:
        return "the head is gone"
    verdict = judge(memory.head if memory else None, there)
    if verdict is Verdict.REGRESSED:
        return f"the head went back to revision {there.revision}"
    if whole is None:
        return "the release of the head is gone"
    if memory is None:
        return ""
    if verdict is Verdict.FORK:
        return "the head was written after a loss"
    if verdict is Verdict.APPLY and there.epoch == memory.head.epoch:
        return ""
    forgotten = memory.quarantine.keys() - whole.quarantine.keys() - _pairs(whole)
    return "what was rolled back is no longer held" if forgotten else ""


def _ahead(newest: Head | None, reports: Sequence[Report], *, is_lost: bool) -> tuple[Stand, ...]:
    """Where instances stand beyond `newest`, so that they would not follow it.

    After a loss each of them counts: what one instance alone has seen was written all the same. Else only those count
    that say they are stuck, and only when they are more than half of those that run anything: a confused worker must
    not stop the publisher.
    """
    stands = tuple(
        report.seen
        for report in reports
        if report.seen and (is_lost or report.state in _STUCK) and not (newest and _covers(newest, report.seen))
    )
    running = sum(report.seen is not None for report in reports)
    return stands if is_lost or len(stands) * 2 > running else ()


def _is_beyond(best: Stand, others: Iterable[Stand]) -> bool:
    """True when `best` came after all others, or has their content; revisions of two branches tell no order."""
    return all(other.digest == best.digest or _covers(best, other) for other in others)


def _again(
    what: Head | Stand, reason: str, *, newest: Head | None, states: Sequence[State], stands: tuple[Stand, ...]
) -> Restore | Lose:
    """Write the content of `what` again, as the successor of `newest`.

    What that contains itself is held only when it was held while it was in force: a rollback of it had been lost
    before, but for this. What other states hold of it was lifted since.
    """
    state = next((state for state in states if state.release.digest == what.digest), None)
    if state is None:
        return Lose(f"{reason}, and the content of its version {what.version} is nowhere else")
    in_force = _pairs(state)
    held = {
        pair: why for each in states for pair, why in each.quarantine.items() if each is state or pair not in in_force
    }
    overrides = next((each.overrides for each in states if each.overrides is not None), None)
    head = newest or state.head
    if head.digest != what.digest:
        head = replace(head, digest=what.digest, merged=state.head.merged)
    restored = replace(state, head=head, quarantine=held, overrides=overrides)
    return Restore(restored, stands, reason)


def _is_foreign(there: Head, mine: Head) -> bool:
    """True when `there` neither follows mine nor is of its past: somebody wrote it who knew less, or nothing."""
    if judge(mine, there) is not Verdict.REGRESSED:
        return False
    is_near = there.epoch == mine.epoch and mine.revision - there.revision < len(mine.ancestors)
    return not comes_after(mine, there) or (is_near and there.change not in mine.ancestors)


def _covers(place: Place, stand: Stand) -> bool:
    """True when `place` is where an instance stands already, or one that it follows."""
    return stand.change == place.change or comes_after(place, stand)


def _pairs(state: State) -> set[str]:
    return {f"{section} {digest}" for section, digest in state.release.manifest.sections.items()}
