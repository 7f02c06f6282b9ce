"""One follower at work: `follower` decides, this carries out, in the thread of a driver.

What the follower asks of Redis goes to the namespace, what is to be read goes to the local copy.
"""

from __future__ import annotations

import threading
import time

from confbus import candidate
from confbus.errors import Malformed
from confbus.events import Action, Applied, Apply, Connect, Event, Fetch, Heard, Ping, ReadHead, Refused, Ticked
from confbus.follower import Follower, Timing
from confbus.link import EVERYBODY
from confbus.namespace import Namespace
from confbus.status import Status, stand
from confbus.wire.head import PROTOCOL
from confbus.wire.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus.link import Link, News
    from confbus.local import Local
    from confbus.wire.head import Head
    from confbus.wire.keys import Keys
    from confbus.wire.sections import Assembly

BREATH_S = 0.002
_MAX_UNREPORTED_S = 1.0


class Following:
    """What makes one subscriber's local copy follow one namespace. `observer` is called with the status whenever it
    changes, and after each notice."""

    def __init__(
        self,
        local: Local,
        keys: Keys,
        *,
        instance: str,
        labels: Mapping[str, str],
        timing: Timing,
        is_reporting: bool,
        observer: Callable[[Status], object] | None,
    ) -> None:
        self.channel = keys.notices
        self.instance = instance
        self.is_leaving = False
        self.gone = threading.Event()
        self.keys = keys
        self._local = local
        self._labels = labels
        self._is_reporting = is_reporting
        self._observer = observer
        self._follower = Follower(timing)
        self._unreported_since = 0.0
        self._applied: tuple[Head, Assembly] | None = None
        self._link: Link
        self._namespace: Namespace

    def join(self, link: Link) -> None:
        """Follow over `link` from now on."""
        self._link = link
        self._namespace = Namespace(link, self.keys, instance=self.instance)

    def renewed(self, instance: str) -> Following:
        """The same in a forked child: another instance, which stands where the parent last stood for certain."""
        follower = self._follower
        renewed = Following(
            self._local,
            self.keys,
            instance=instance,
            labels=self._labels,
            timing=follower.timing,
            is_reporting=self._is_reporting,
            observer=self._observer,
        )
        if self._applied is not None:
            renewed.stand_at(*self._applied, verified_at=follower.verified_at)
        return renewed

    def stand_at(self, head: Head, running: Assembly, *, verified_at: float) -> None:
        """Begin with what runs already, as of `head`, last known to be the newest at `verified_at` (monotonic)."""
        self._applied = head, running
        self._follower.served = self._follower.seen = head
        self._follower.running = running
        self._follower.verified_at = verified_at

    def due_at(self) -> float:
        """When `settle` has something to do, in monotonic seconds."""
        if self._unreported_since:
            return min(self._follower.wake_at(), time.monotonic() + BREATH_S)
        return self._follower.wake_at()

    def take(self, event: Event) -> News:
        """Work off `event`, and whatever comes of it here; returns what comes of it for everybody on the link."""
        events = [event]
        news: News = []
        while events:
            for action in self._follower.handle(events.pop(0), time.monotonic()):
                for channel, consequence in self._carry_out(action):
                    if channel == EVERYBODY:
                        news.append((channel, consequence))
                    else:
                        events.append(consequence)
        if self._observer is not None and isinstance(event, Heard):
            self._observer(self.status())
        return news

    def settle(self, *, is_quiet: bool) -> News:
        """Tell the fleet once nothing more urgent is going on, and let the follower know when its time has come."""
        if self._unreported_since and (is_quiet or time.monotonic() - self._unreported_since > _MAX_UNREPORTED_S):
            self._report()
        return self.take(Ticked()) if self._follower.wake_at() <= time.monotonic() else []

    def status(self) -> Status:
        follower, snapshot = self._follower, self._local.snapshot
        return Status(
            namespace=self.keys.namespace,
            instance=self.instance,
            state=follower.state,
            seen=stand(follower.seen),
            running=stand(follower.served),
            verified_age_s=time.monotonic() - follower.verified_at,
            error=follower.error,
            counts=replace(follower.counts),
            overlay=() if snapshot is None else snapshot.overlaid,
        )

    def leave(self) -> None:
        """Stop listening, and take this instance's report away."""
        self._link.stop_listening(self.channel)
        if self._is_reporting:
            self._namespace.leave()

    def _carry_out(self, action: Action) -> News:
        match action:
            case Apply():
                return [(self.channel, self._apply(action))]
            case ReadHead():
                return [(self.channel, self._namespace.read_head())]
            case Fetch(head, running):
                return [(self.channel, self._namespace.fetch(head, running))]
            case Connect():
                return self._link.listen(self.channel)
            case Ping():
                return self._link.ping()
            case _:
                # The new values come first: readers wait for the interpreter while this thread talks to Redis.
                self._unreported_since = self._unreported_since or time.monotonic()
                return []

    def _apply(self, apply: Apply) -> Event:
        try:
            assembly = candidate.assemble(apply)
        except Malformed as error:
            return Refused(apply.head, str(error), is_damage=True)
        reason = self._local.receive(candidate.snapshot(apply, assembly))
        if reason:
            return Refused(apply.head, reason)
        self._applied = apply.head, assembly
        return Applied(apply.head, assembly)

    def _report(self) -> None:
        self._unreported_since = 0.0
        status = self.status()
        if self._observer is not None:
            self._observer(status)
        if self._is_reporting:
            interval_s, judges = self._follower.timing.report_s, self._local.judges
            facts = status.report(self._labels, interval_s=interval_s, protocol=PROTOCOL, validators=judges)
            self._namespace.report(facts)
