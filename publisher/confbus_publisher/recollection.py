"""What one publisher remembers: the last state of the head that it saw, and the last merge that it accounted for."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confbus.wire.head import Head
    from confbus_publisher.inputs import Merge
    from confbus_publisher.ledger import Ledger, State
    from confbus_publisher.memory_file import MemoryFile

_MERGES = 16


class Recollection:
    """In memory, and in `memory_file` across restarts.

    `state` is what the head stood for when it was seen last, be it by an earlier process; `has_seen` says that this
    one saw it. `accounted` is the digest of the last merge that this publisher need not publish any more. `merges` are
    the digests of what this process merged lately, without a change of overrides between them.
    """

    def __init__(self, memory_file: MemoryFile) -> None:
        self.state, self.accounted = memory_file.recall()
        self.has_seen = False
        self.merges: deque[str] = deque(maxlen=_MERGES)
        self._memory_file = memory_file

    def keep(self, state: State | None) -> None:
        """Remember what the head stands for; nothing takes the last state away."""
        if state is not None:
            self.has_seen = True
            self.state = _with_retreat(state, self.state)
            self._memory_file.keep(self.state, self.accounted)

    def quarantined(self, ledger: Ledger) -> State | None:
        """What the head stands for, with what is in quarantine by now, and remember that: it may have come by hand, or
        back with a backup, while the head stayed. Raises `Unreachable`."""
        state = ledger.state
        held = {**state.quarantine, **ledger.store.quarantine()} if state else {}
        if state and held != state.quarantine:
            ledger.state = replace(state, quarantine=held)
            self.keep(ledger.state)
        return ledger.state

    def recognise(self, head: Head | None) -> None:
        """Account for an earlier merge of this process that the head has by now: what it merges since is a change of
        its own, though it never saw both at once."""
        if self.accounted is None and head and head.merged in self.merges:
            self.accounted = head.merged

    def account(self, digest: str, state: State | None) -> None:
        """Account for the merge of that digest when it is the head's `merged`, or the first of this publisher."""
        if self.accounted is None or (state and state.head.merged == digest):
            self.accounted = digest
            self.keep(state)

    def has_parted(self, merge: Merge, head: Head | None) -> bool:
        """Whether `merge` is accounted for though the `head` has another one, whichever key either was sealed with."""
        if head is None or not head.merged or self.accounted is None:
            return False
        return merge.has_digest(self.accounted) and not merge.has_digest(head.merged)


def _with_retreat(state: State, before: State | None) -> State:
    """After a loss only memory may have what a guard goes back to."""
    retreat = before.retreat if before else None
    if state.guard and not state.retreat and retreat and retreat.release.digest == state.guard.digest:
        return replace(state, retreat=retreat)
    return state
