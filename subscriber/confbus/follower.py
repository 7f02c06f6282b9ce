"""The follower: decides what a subscriber does next. A pure state machine, events in, actions out.

    subscribe → acknowledged → read head → judge → fetch what I lack → apply → report
                     ↑ a notice is a hint: applied at once when its content proves it, else the head is read

It keeps *seen* (the head last judged) apart from *running* (what this process reads); they differ after a veto. No
loss, lie or silence of the server takes the running configuration away.
"""

from __future__ import annotations

from confbus import candidate, events
from confbus.chance import Jitter
from confbus.errors import Malformed
from confbus.pulse import Pulse
from confbus.reporting import Reporting
from confbus.rule import Verdict, judge
from confbus.timing import Counts, Timing
from confbus.wire import notice as notices
from confbus.wire.head import PROTOCOL
from confbus.wire.notice import Notice
from confbus.wire.record import field, record
from confbus.wire.sections import NOTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from confbus.chance import Chance
    from confbus.wire.head import Head
    from confbus.wire.sections import Assembly

WAITING, LIVE, RECONNECTING, CACHED = "waiting", "live", "reconnecting", "cached"
VETOING, REGRESSED, LOST, OUTDATED = "vetoing", "regressed", "lost", "outdated"

_NEVER = float("inf")
_FORWARD = {Verdict.APPLY, Verdict.FORK}


@record(slots=True)
class Follower:
    """One subscriber's decisions. Call `handle` with each event and the monotonic time, carry out what it returns in
    that order, and call again with `events.Ticked` at `wake_at()` at the latest."""

    timing: Timing = field(default_factory=Timing)
    rng: Chance = field(default_factory=Jitter)
    running: Assembly = NOTHING
    served: Head | None = None
    seen: Head | None = None
    refused: str = ""
    error: str = ""
    counts: Counts = field(default_factory=Counts)
    verified_at: float = -_NEVER
    is_cached: bool = False
    _pulse: Pulse = field(init=False)
    _verdict: Verdict | None = None
    _is_outdated: bool = False
    _is_reachable: bool = False
    _poll_at: float = _NEVER
    _hint_at: float = _NEVER
    _is_polling: bool = False
    _is_rereading: bool = False
    _announced: str = ""
    _unannounced: tuple[str, float] | None = None
    _reporting: Reporting = field(init=False)

    def __post_init__(self) -> None:
        self._pulse = Pulse(self.timing, self.rng)
        self._reporting = Reporting(self.timing)

    @property
    def state(self) -> str:
        """One word for where this subscriber stands."""
        if self._is_outdated:
            return OUTDATED
        if self._verdict in {Verdict.REGRESSED, Verdict.LOST} and self.seen is not None:
            return REGRESSED if self._verdict is Verdict.REGRESSED else LOST
        if self.seen is not None and self.seen.digest == self.refused:
            return VETOING
        if self.is_cached:
            return CACHED
        if not self._pulse.is_acked or not self._is_reachable:
            return RECONNECTING
        return LIVE if self.served is not None else WAITING

    def wake_at(self) -> float:
        """When `events.Ticked` is due, in monotonic seconds."""
        suspect_at = self._unannounced[1] if self._unannounced else _NEVER
        return min(self._poll_at, self._hint_at, self._reporting.at, suspect_at, self._pulse.wake_at())

    def handle(self, event: events.Event, now: float) -> list[events.Action]:
        """What to do about `event`, in order."""
        actions = self._react(event, now)
        is_moving = any(isinstance(action, events.Fetch | events.Apply) for action in actions)
        if self._is_reachable and not is_moving and self._reporting.is_due_for(self._news(), now):
            actions.append(self._report(now))
        return actions

    def judge_again(self) -> None:
        """Forget what was refused: a validator changed, so the same content may pass now. The head is read soon."""
        self.refused = ""
        self._hint_at = -_NEVER

    def _react(self, event: events.Event, now: float) -> list[events.Action]:
        match event:
            case events.Heard(message):
                return self._on_message(message, now)
            case events.Applied():
                return self._on_applied(event)
            case events.HeadRead(head):
                return self._on_head(head, now)
            case events.Fetched():
                return [candidate.from_fetch(event, self.running)]
            case events.Refused():
                return self._on_refused(event, now)
            case events.Found():
                return self._on_found(event)
            case events.Acked():
                self._pulse.acked(now)
                self._unannounced = None
                return self._read_head(now)
            case events.LinkLost(error):
                return self._on_link_lost(error, now)
            case events.ReadFailed():
                return self._on_read_failed(event, now)
            case events.Ponged():
                self._pulse.heard(now)
                return []
            case events.Ticked():
                return self._on_tick(now)

    def _on_message(self, message: bytes, now: float) -> list[events.Action]:
        self._pulse.heard(now)
        self.counts.notices += 1
        try:
            notice = notices.decode(message)
        except Malformed as error:
            self.counts.malformed += 1
            self.error = str(error)
            return self._read_within(self.timing.announce_s, now)
        if isinstance(notice, Notice):
            return self._on_notice(notice, now)
        self._unannounced = None
        return self._read_head(now)

    def _on_notice(self, notice: Notice, now: float) -> list[events.Action]:
        head = notice.head
        self._announced = head.change
        if self._unannounced and self._unannounced[0] == head.change:
            self._unannounced = None
        if self.seen and head.change in (self.seen.change, *self.seen.ancestors):
            return []
        is_fresh = now - self.verified_at <= self.timing.poll_s * 1.2 and not self.is_cached
        if is_fresh and self.seen and judge(self.seen, head) in _FORWARD and head.readable_by <= PROTOCOL:
            apply = candidate.from_notice(notice, self.running)
            if apply and head.digest != self.refused:
                return [apply]
        return self._read_within(notice.jitter_ms / 1000, now) if notice.jitter_ms else self._read_head(now)

    def _on_head(self, head: Head | None, now: float) -> list[events.Action]:
        self._is_reachable = True
        self.is_cached = False
        self.verified_at = now
        was_polled, self._is_polling = self._is_polling, False
        self._schedule_poll(now)
        verdict = judge(self.seen, head)
        if verdict not in _FORWARD:
            self.counts.regressions += verdict is Verdict.REGRESSED and self._verdict is not Verdict.REGRESSED
            self._verdict = verdict
        self._is_outdated = head is not None and verdict is not Verdict.REGRESSED and head.readable_by > PROTOCOL
        actions: list[events.Action] = []
        if head is not None and self._is_outdated:
            self.error = f"the head needs protocol {head.readable_by}, this process reads {PROTOCOL}"
        elif head is not None and verdict is not Verdict.REGRESSED and not self._is_settled(head):
            if was_polled:
                self._suspect(head, now)
            actions = self._move_to(head)
        self._is_rereading = self._is_rereading and bool(actions)
        return actions

    def _is_settled(self, head: Head) -> bool:
        """True when this head was judged, with an end."""
        is_refused = self.seen is not None and self.seen.change == head.change and head.digest == self.refused
        return is_refused or (self.served is not None and self.served.change == head.change)

    def _suspect(self, head: Head, now: float) -> None:
        """A poll found what no notice announced: if none comes shortly, the connection is deaf."""
        if self._pulse.is_acked and self.seen is not None and head.change != self._announced:
            self._unannounced = self._unannounced or (head.change, now + self.timing.announce_s)

    def _move_to(self, head: Head) -> list[events.Action]:
        if head.digest == self.refused:
            self._see(head)
            return []
        if self.served and head.digest == self.running.manifest.digest and head.version == self.served.version:
            self._see(head)
            self.served = head
            return []
        self.counts.fetches += 1
        return [events.Fetch(head, self.running.manifest)]

    def _on_applied(self, applied: events.Applied) -> list[events.Action]:
        self.running, self.served = applied.assembly, applied.head
        self.counts.applied += 1
        self.refused = self.error = ""
        self._see(applied.head)
        return []

    def _on_refused(self, refused: events.Refused, now: float) -> list[events.Action]:
        self.error = refused.reason
        if refused.is_damage:
            return self._reread(now)
        self.counts.vetoes += 1
        self.refused = refused.head.digest
        self._see(refused.head)
        # A process that runs nothing yet looks for what it accepted, or would accept, before.
        return [] if self.served else [events.FindAccepted(refused.head)]

    def _on_found(self, found: events.Found) -> list[events.Action]:
        self.running, self.served = found.assembly, found.head
        self.is_cached = not self._is_reachable
        if self.seen is None:  # then what is older than this shall not be followed
            self.seen, self.verified_at = found.head, max(found.verified_at, self.verified_at)
        return []

    def _on_link_lost(self, error: str, now: float) -> list[events.Action]:
        self._pulse.lost(now)
        self._unannounced = None
        self.error = error
        self.counts.reconnects += 1
        if self._poll_at == _NEVER:
            self._schedule_poll(now)
        return []

    def _on_read_failed(self, failed: events.ReadFailed, now: float) -> list[events.Action]:
        self.error = failed.error
        self._is_polling = False
        if failed.is_damage:
            return self._reread(now)
        self._is_reachable = self._is_rereading = False
        self._schedule_poll(now)
        return []

    def _reread(self, now: float) -> list[events.Action]:
        """What the head named was not there: the head may have moved meanwhile. Only if not, it is a loss."""
        self._is_rereading = not self._is_rereading
        if self._is_rereading:
            return self._read_head(now)
        self._verdict = Verdict.LOST
        self._schedule_poll(now)
        return []

    def _on_tick(self, now: float) -> list[events.Action]:
        actions = self._check_life(now)
        if min(self._hint_at, self._poll_at) <= now:
            self._is_polling = self._hint_at > now
            actions += self._read_head(now)
        if self._reporting.at <= now:
            actions.append(self._report(now))
        return actions

    def _check_life(self, now: float) -> list[events.Action]:
        if self._unannounced and self._unannounced[1] <= now:
            self._unannounced = None
            self.counts.healed += 1
            return self._renew(now, "a change was found that no notice announced")
        if self._pulse.is_silent(now):
            return self._renew(now, f"no sign of life for {self.timing.silence_s:g} s")
        return self._pulse.beat(now)

    def _renew(self, now: float, error: str) -> list[events.Action]:
        self.error = error
        self.counts.reconnects += 1
        return self._pulse.renew(now)

    def _read_head(self, now: float) -> list[events.Action]:
        self._hint_at = _NEVER
        self._poll_at = now + self.timing.poll_s
        return [events.ReadHead()]

    def _read_within(self, spread_s: float, now: float) -> list[events.Action]:
        """Read the head soon, at a moment of my own, so that a fleet does not do it all at once."""
        if self._hint_at > now + spread_s:
            self._hint_at = now + self.rng.uniform(0, spread_s)
        return []

    def _schedule_poll(self, now: float) -> None:
        self._poll_at = now + self.timing.poll_s * self.rng.uniform(0.8, 1.2)

    def _see(self, head: Head) -> None:
        self.counts.forks += judge(self.seen, head) is Verdict.FORK
        self.seen = head
        self._verdict = Verdict.SAME
        self._is_rereading = False

    def _report(self, now: float) -> events.Report:
        self._reporting.reported(self._news(), now, is_stuck=self.state in {REGRESSED, LOST})
        return events.Report()

    def _news(self) -> tuple[object, ...]:
        version = self.served and self.served.version
        return (self.state, self.seen and self.seen.change, self.running.manifest.digest, version)
