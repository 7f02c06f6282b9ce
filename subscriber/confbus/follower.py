"""The follower: decides what a subscriber does next. A pure state machine, events in, actions out.

    subscribe → acknowledged → read head → judge → fetch what I lack → apply → report
                     ↑ a notice is a hint: applied at once when its content proves it, else the head is read

It keeps *seen* (the head last judged) apart from *running* (what this process reads); they differ after a veto. No
loss, lie or silence of the server takes the running configuration away.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confbus.errors import Malformed
from confbus.events import (
    Acked,
    Action,
    Applied,
    Apply,
    Connect,
    Event,
    Fetch,
    Fetched,
    HeadRead,
    Heard,
    LinkLost,
    Ping,
    Ponged,
    ReadFailed,
    ReadHead,
    Refused,
    Report,
    Ticked,
)
from confbus.rule import Verdict, judge
from confbus.wire import notice as notices
from confbus.wire.codec import digest
from confbus.wire.head import PROTOCOL
from confbus.wire.notice import Notice
from confbus.wire.sections import NOTHING

if TYPE_CHECKING:
    from confbus.wire.head import Head
    from confbus.wire.sections import Assembly

WAITING, LIVE, RECONNECTING = "waiting", "live", "reconnecting"
VETOING, REGRESSED, LOST, OUTDATED = "vetoing", "regressed", "lost", "outdated"


@dataclass(frozen=True, slots=True)
class Timing:
    """How often, in seconds. A lost notice is healed within one `poll_s` (± 20 %) plus one fetch; a dead connection
    is noticed within `silence_s`. Reports go out at once, but not more often than every `report_gap_s`."""

    poll_s: float = 5.0
    report_s: float = 30.0
    report_gap_s: float = 0.2
    ping_s: float = 5.0
    silence_s: float = 15.0
    announce_s: float = 1.0
    backoff_s: float = 0.1
    max_backoff_s: float = 10.0


@dataclass(slots=True)
class Counts:
    """What happened so far; only ever grows."""

    notices: int = 0
    malformed: int = 0
    fetches: int = 0
    applied: int = 0
    vetoes: int = 0
    healed: int = 0
    reconnects: int = 0
    forks: int = 0
    regressions: int = 0


@dataclass(slots=True)
class Follower:
    """One subscriber's decisions. Call `handle` with each event and the monotonic time, carry out what it returns in
    that order, and call again with `Ticked` at `wake_at()` at the latest."""

    timing: Timing = field(default_factory=Timing)
    rng: random.Random = field(default_factory=random.Random)
    running: Assembly = NOTHING
    served: Head | None = None
    seen: Head | None = None
    refused: str = ""
    error: str = ""
    counts: Counts = field(default_factory=Counts)
    verified_at: float = float("-inf")
    _verdict: Verdict | None = None
    _is_outdated: bool = False
    _is_acked: bool = False
    _is_reachable: bool = False
    _heard_at: float = 0.0
    _pinged_at: float = 0.0
    _connect_at: float = 0.0
    _backoff_s: float = 0.0
    _poll_at: float = float("inf")
    _report_at: float = float("inf")
    _reported: tuple[object, ...] = ()
    _reported_at: float = float("-inf")
    _announced: str = ""
    _is_hinted: bool = False
    _unannounced: tuple[str, float] | None = None
    _is_rereading: bool = False

    @property
    def state(self) -> str:
        """One word for where this subscriber stands."""
        if self._is_outdated:
            return OUTDATED
        if self._verdict in {Verdict.REGRESSED, Verdict.LOST} and self.seen is not None:
            return REGRESSED if self._verdict is Verdict.REGRESSED else LOST
        if self.seen is not None and self.seen.digest == self.refused:
            return VETOING
        if not self._is_acked or not self._is_reachable:
            return RECONNECTING
        return LIVE if self.served is not None else WAITING

    def wake_at(self) -> float:
        """When `Ticked` is due, in monotonic seconds."""
        due = [self._poll_at, self._report_at]
        if self._is_acked:
            due += [max(self._heard_at, self._pinged_at) + self.timing.ping_s, self._heard_at + self.timing.silence_s]
        else:
            due.append(self._connect_at)
        if self._unannounced:
            due.append(self._unannounced[1])
        return min(due)

    def handle(self, event: Event, now: float) -> list[Action]:
        """What to do about `event`, in order."""
        actions = self._react(event, now)
        if self._is_reachable and self._news() != self._reported:
            if now - self._reported_at >= self.timing.report_gap_s:
                actions.append(self._report(now))
            else:
                self._report_at = min(self._report_at, self._reported_at + self.timing.report_gap_s)
        return actions

    def judge_again(self) -> None:
        """Forget what was refused: a validator changed, so the same content may pass now."""
        self.refused = ""
        self.seen = self.served

    def _react(self, event: Event, now: float) -> list[Action]:
        match event:
            case Heard(message):
                return self._on_message(message, now)
            case Applied():
                return self._on_applied(event, now)
            case HeadRead(head):
                return self._on_head(head, now)
            case Fetched():
                return self._on_fetched(event)
            case Refused():
                return self._on_refused(event, now)
            case Acked():
                return self._on_acked(now)
            case LinkLost(error):
                return self._on_link_lost(error, now)
            case ReadFailed():
                return self._on_read_failed(event, now)
            case Ponged():
                self._heard_at = now
                return []
            case Ticked():
                return self._on_tick(now)

    def _on_acked(self, now: float) -> list[Action]:
        self._is_acked = True
        self._heard_at = self._pinged_at = now
        self._backoff_s = 0.0
        self._unannounced = None
        return self._read_head(now)

    def _on_message(self, message: bytes, now: float) -> list[Action]:
        self._heard_at = now
        self.counts.notices += 1
        try:
            notice = notices.decode(message)
        except Malformed as error:
            self.counts.malformed += 1
            self.error = str(error)
            self._is_hinted = True
            self._poll_at = min(self._poll_at, now + self.rng.uniform(0.5, 1.0) * self.timing.announce_s)
            return []
        if not isinstance(notice, Notice):
            self._is_hinted, self._unannounced = True, None
            return self._read_head(now)
        head = notice.head
        self._announced = head.change
        if self._unannounced and self._unannounced[0] == head.change:
            self._unannounced = None
        if self.seen and head.change in (self.seen.change, *self.seen.ancestors):
            return []
        if judge(self.seen, head) in {Verdict.APPLY, Verdict.FORK} and head.readable_by <= PROTOCOL:
            inline = self._inline(notice, now)
            if inline:
                return [inline]
        if notice.jitter_ms:
            self._poll_at = min(self._poll_at, now + self.rng.uniform(0, notice.jitter_ms / 1000))
            return []
        return self._read_head(now)

    def _inline(self, notice: Notice, now: float) -> Apply | None:
        """The notice as a candidate, if its blobs turn exactly what I run into exactly what the head names."""
        is_fresh = now - self.verified_at <= self.timing.poll_s * 1.2
        if notice.sections is None or not is_fresh or self.seen is None:
            return None
        changes: dict[str, str | None] = {}
        blobs: dict[str, bytes | None] = {}
        for name, blob in notice.sections.items():
            if isinstance(blob, str):
                return None
            changes[name] = blob if blob is None else digest(blob)
            blobs[name] = blob
        manifest = self.running.manifest.changed(changes)
        if manifest.digest != notice.head.digest:
            return None
        if manifest.digest == self.refused:
            return None
        return Apply(notice.head, self.running, manifest, blobs, notice.at_ms)

    def _on_head(self, head: Head | None, now: float) -> list[Action]:
        self._is_reachable = True
        self.verified_at = now
        was_polled = self._poll_at <= now and not self._is_hinted
        self._is_hinted = False
        self._schedule_poll(now)
        verdict = judge(self.seen, head)
        if verdict not in {Verdict.APPLY, Verdict.FORK}:
            self.counts.regressions += verdict is Verdict.REGRESSED and self._verdict is not Verdict.REGRESSED
            self._verdict = verdict
        if head is None or verdict is Verdict.REGRESSED:
            return []
        self._is_outdated = head.readable_by > PROTOCOL
        if self._is_outdated:
            self.error = f"the head needs protocol {head.readable_by}, this process reads {PROTOCOL}"
            return []
        if verdict is Verdict.SAME:
            return []
        if was_polled and self._is_acked and self.seen is not None and head.change != self._announced:
            self._unannounced = self._unannounced or (head.change, now + self.timing.announce_s)
        return self._move_to(head)

    def _move_to(self, head: Head) -> list[Action]:
        if head.digest == self.refused:
            self._see(head)
            self._verdict = Verdict.SAME
            return []
        if self.served and head.digest == self.running.manifest.digest and head.version == self.served.version:
            self._see(head)
            self.served = self.seen
            self._verdict = Verdict.SAME
            return []
        self.counts.fetches += 1
        return [Fetch(head, self.running.manifest)]

    def _on_fetched(self, fetched: Fetched) -> list[Action]:
        self._is_rereading = False
        blobs: dict[str, bytes | None] = dict.fromkeys(self.running.manifest.changes_to(fetched.manifest))
        blobs.update(fetched.blobs)
        return [Apply(fetched.head, self.running, fetched.manifest, blobs, fetched.at_ms)]

    def _on_applied(self, applied: Applied, now: float) -> list[Action]:
        self.running = applied.assembly
        self.counts.applied += 1
        self.refused = self.error = ""
        self._see(applied.head)
        self.served = self.seen
        self._verdict = Verdict.SAME
        return []

    def _on_refused(self, refused: Refused, now: float) -> list[Action]:
        self.error = refused.reason
        if refused.is_damage:
            return self._reread(now)
        self.counts.vetoes += 1
        self.refused = refused.head.digest
        self._see(refused.head)
        self._verdict = Verdict.SAME
        return []

    def _on_link_lost(self, error: str, now: float) -> list[Action]:
        self._is_acked = False
        self._unannounced = None
        self.error = error
        self.counts.reconnects += 1
        ceiling = min(max(self._backoff_s * 2, self.timing.backoff_s), self.timing.max_backoff_s)
        self._backoff_s = ceiling
        self._connect_at = now + self.rng.uniform(0, ceiling)
        if self._poll_at == float("inf"):
            self._schedule_poll(now)
        return []

    def _on_read_failed(self, failed: ReadFailed, now: float) -> list[Action]:
        self.error = failed.error
        if failed.is_damage:
            return self._reread(now)
        self._is_reachable = False
        self._schedule_poll(now)
        return []

    def _reread(self, now: float) -> list[Action]:
        """What the head named was not there: the head may have moved meanwhile. Only if not, it is a loss."""
        if not self._is_rereading:
            self._is_rereading = True
            return self._read_head(now)
        self._is_rereading = False
        self._verdict = Verdict.LOST
        self._schedule_poll(now)
        return []

    def _on_tick(self, now: float) -> list[Action]:
        actions: list[Action] = []
        if not self._is_acked and self._connect_at <= now:
            self._connect_at = now + self.timing.silence_s
            actions.append(Connect())
        if self._is_acked:
            actions += self._check_life(now)
        if self._poll_at <= now:
            actions.append(ReadHead())
        if self._report_at <= now:
            actions.append(self._report(now))
        return actions

    def _check_life(self, now: float) -> list[Action]:
        if self._unannounced and self._unannounced[1] <= now:
            self._unannounced = None
            self.counts.healed += 1
            return self._renew(now, "a change was found that no notice announced")
        if self._heard_at + self.timing.silence_s <= now:
            return self._renew(now, f"no sign of life for {self.timing.silence_s:g} s")
        if max(self._heard_at, self._pinged_at) + self.timing.ping_s <= now:
            self._pinged_at = now
            return [Ping()]
        return []

    def _renew(self, now: float, error: str) -> list[Action]:
        self._is_acked = False
        self.error = error
        self.counts.reconnects += 1
        self._connect_at = now + self.timing.silence_s
        return [Connect()]

    def _read_head(self, now: float) -> list[Action]:
        self._poll_at = max(self._poll_at, now + self.timing.poll_s)
        return [ReadHead()]

    def _schedule_poll(self, now: float) -> None:
        self._poll_at = now + self.timing.poll_s * self.rng.uniform(0.8, 1.2)

    def _see(self, head: Head) -> None:
        if judge(self.seen, head) is Verdict.FORK:
            self.counts.forks += 1
        self.seen = head

    def _report(self, now: float) -> Report:
        self._reported, self._reported_at = self._news(), now
        is_stuck = self.state in {REGRESSED, LOST}
        self._report_at = now + (self.timing.poll_s if is_stuck else self.timing.report_s)
        return Report()

    def _news(self) -> tuple[object, ...]:
        version = self.served and self.served.version
        return (self.state, self.seen and self.seen.change, self.running.manifest.digest, version)
