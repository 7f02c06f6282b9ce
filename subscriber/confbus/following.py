"""One follower at work: `follower` decides, this carries out, in the thread of a driver.

What the follower asks of Redis goes to the namespace, what is to be read goes to the local copy.
"""

from __future__ import annotations

import threading
import time

from confbus import candidate, earlier, start
from confbus.errors import ConfigRefused, Malformed
from confbus.events import (
    Action,
    Applied,
    Apply,
    Connect,
    Event,
    Fetch,
    FindAccepted,
    Found,
    HeadRead,
    Heard,
    LinkLost,
    Ping,
    ReadFailed,
    ReadHead,
    Ticked,
)
from confbus.fallback import LastGood
from confbus.follower import Follower
from confbus.link import EVERYBODY, reason_of
from confbus.namespace import Namespace
from confbus.secrets.unresolved import Awaited
from confbus.status import status_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.fallback import Fallback
    from confbus.link import Link, News
    from confbus.local import Local
    from confbus.start import Restored
    from confbus.status import Status
    from confbus.telling import Telling
    from confbus.timing import Timing
    from confbus.wire.head import Head
    from confbus.wire.keys import Keys
    from confbus.wire.sections import Assembly

BREATH_S = 0.002
_MAX_UNREPORTED_S = 1.0


class Following:
    """What makes one subscriber's local copy follow one namespace. Its observer hears whenever the status changes, and
    after each notice."""

    def __init__(
        self,
        local: Local,
        keys: Keys,
        *,
        instance: str,
        timing: Timing,
        telling: Telling,
        fallback: Fallback | None = None,
    ) -> None:
        self.channel = keys.notices
        self.instance = instance
        self.is_leaving = False
        self.gone = threading.Event()
        self.keys = keys
        self.setback = ""
        self.dead_end: tuple[int, str] | None = None
        self._restored: Restored | None = None
        self._fallback = fallback
        self._blobs: Mapping[str, bytes] = {}
        self._local = local
        self._telling = telling
        self._follower = Follower(timing)
        self._unreported_since = 0.0
        self._is_awaiting = False
        self._applied: tuple[Head, Assembly] | None = None
        self._link: Link
        self._namespace: Namespace

    def join(self, link: Link) -> None:
        """Follow over `link` from now on."""
        self._link = link
        self._local.on_answer = link.wake
        self._namespace = Namespace(link, self.keys, instance=self.instance)

    def renewed(self, instance: str, fallback: Fallback | None) -> Following:
        """The same in a forked child: another instance, which stands where the parent last stood for certain."""
        follower = self._follower
        renewed = Following(
            self._local,
            self.keys,
            instance=instance,
            timing=follower.timing,
            telling=self._telling,
            fallback=fallback,
        )
        if self._applied is not None:
            renewed._applied, renewed._blobs = self._applied, self._blobs
            renewed._stand_at(*self._applied, verified_at=follower.verified_at)
            renewed._follower.is_cached = follower.is_cached
        return renewed

    def stand_at(self, restored: Restored) -> None:
        """Begin with what came from disk."""
        good = restored.good
        self._applied, self._blobs = (good.head, restored.assembly), good.blobs
        self._stand_at(*self._applied, verified_at=time.monotonic() - good.age_s)

    def restore(self, *, waits: bool = True) -> bool:
        """Take the last known good from disk if nothing runs yet; in whatever thread, for this one may be waiting for a
        server that says nothing. Raises `Awaited` as `Local.receive`."""
        if self._fallback is None:
            return False
        try:
            with self._local.changing:  # who finds a snapshot there finds, too, where it came from
                restored = start.restore(self._local, self._fallback, waits=waits)
                if restored is not None:  # else another thread was first, and what it left is still to be taken
                    self._restored = restored
        except (Malformed, ConfigRefused) as error:
            start.told(error)
            return False
        return self._restored is not None

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
            current = events.pop(0)
            self._note(current)
            for action in self._follower.handle(current, time.monotonic()):
                for channel, consequence in self._carry_out(action):
                    if channel == EVERYBODY:
                        news.append((channel, consequence))
                    else:
                        events.append(consequence)
        if isinstance(event, Heard):
            self._telling.observe(self.status())
        return news

    def settle(self, *, is_quiet: bool) -> News:
        """Tell the fleet once nothing more urgent is going on, and let the follower know when its time has come."""
        if self._local.measures is not None:
            self._local.measures.beat()
        if self._unreported_since and (is_quiet or time.monotonic() - self._unreported_since > _MAX_UNREPORTED_S):
            self._report()
        self._take_restored()
        if self._is_awaiting and not self._local.is_asking:
            self._is_awaiting = False
            self._follower.judge_again()
        return self.take(Ticked()) if self._follower.wake_at() <= time.monotonic() else []

    def status(self) -> Status:
        follower, restored = self._follower, self._restored
        # What another thread has put there and this one does not know yet, since it waits for a server.
        disk = restored.good if restored is not None and follower.served is None else None
        trouble = self._fallback.error if self._fallback else ""
        namespace, instance = self.keys.namespace, self.instance
        return status_of(follower, self._local, disk, namespace=namespace, instance=instance, trouble=trouble)

    def leave(self) -> None:
        """Stop listening, and take this instance's report away."""
        self._link.stop_listening(self.channel)
        if self._local.measures is not None:
            self._local.measures.beat(at_once=True)
        if self._fallback is not None:
            self._fallback.flush()
        if self._telling.is_reporting:
            self._namespace.leave()

    def _carry_out(self, action: Action) -> News:
        match action:
            case Apply():
                return self._apply(action)
            case ReadHead():
                if self._local.refresh():
                    self._follower.judge_again()
                return [(self.channel, self._namespace.read_head()), *self._with_new_keys()]
            case Fetch(head, running):
                return [(self.channel, self._namespace.fetch(head, running))]
            case FindAccepted(head):
                return [(self.channel, found) for found in self._find_accepted(head)]
            case Connect():
                return self._link.listen(self.channel)
            case Ping():
                return self._link.ping()
            case _:
                # The new values come first: readers wait for the interpreter while this thread talks to Redis.
                self._unreported_since = self._unreported_since or time.monotonic()
                return []

    def _apply(self, apply: Apply) -> News:
        started = time.perf_counter()
        try:
            event = candidate.judged(apply, self._local)
        except Awaited:
            self._is_awaiting = True  # the head is read again when there is an answer
            return []
        if isinstance(event, Applied):
            if self._local.measures is not None:
                self._local.measures.applies.add(time.perf_counter() - started)
            self._took(apply, event.assembly)
        return [(self.channel, event)]

    def _with_new_keys(self) -> News:
        """Judge again what was refused or locked for want of a key, once there are others."""
        if not self._local.unsealing.has_new_keys():
            return []
        follower, snapshot = self._follower, self._local.snapshot
        follower.judge_again()
        if snapshot is None or follower.served is None:
            return []
        running = follower.running
        return self._apply(Apply(follower.served, running, running.manifest, {}, snapshot.at_ms))

    def _took(self, apply: Apply, assembly: Assembly) -> None:
        """Remember what runs, for a forked child and for the next start."""
        self._applied = apply.head, assembly
        if self._fallback is not None:
            blobs = {**self._blobs, **apply.blobs}
            self._blobs = {name: blob for name, blob in blobs.items() if blob is not None}
            self._fallback.keep(LastGood(apply.head, apply.manifest, self._blobs, apply.at_ms))

    def _stand_at(self, head: Head, running: Assembly, *, verified_at: float) -> None:
        self._follower.handle(Found(head, running, verified_at), time.monotonic())

    def _take_restored(self) -> None:
        """Stand where another thread has put the readers meanwhile, unless this one brought them further."""
        restored = self._restored
        if restored is None:
            return  # nothing is cleared: another thread may be putting something there just now
        if self._follower.served is None:
            self.stand_at(restored)
        self._restored = None

    def _find_accepted(self, refused: Head) -> list[Event]:
        """What to run in place of a first release that was refused: the last known good, else an earlier release."""
        reason, resolver = self._follower.error, self._local.resolver
        try:
            if self.restore(waits=False):
                self._take_restored()
                return []
            found = earlier.find(self._namespace, self._local, refused)
        except Awaited:
            self._is_awaiting = True
            return []
        except Exception as error:  # noqa: BLE001 — whatever a connection raises; the head is read again anyway
            found = None
            reason = f"{reason}; earlier releases could not be read: {reason_of(error)}"
        if found is not None:
            event, apply = found
            self._took(apply, event.assembly)
            return [event]
        if resolver is not None and resolver.is_lacking:  # it may come while somebody waits
            self.setback = reason
        else:
            self.dead_end = refused.version, reason.rstrip(".")
        self._local.tell()
        return []

    def _note(self, event: Event) -> None:
        """Let those who start know what stands in the way, and the file on disk that it is still the newest."""
        if self._local.snapshot is not None:
            if isinstance(event, HeadRead) and self._fallback is not None and self._is_served(event.head):
                self._fallback.confirm()
            return
        match event:
            case LinkLost(error) | ReadFailed(error):
                self.setback = error
            case HeadRead(None):
                self.setback = "nothing is published in this namespace yet"
            case _:
                return
        self._local.tell()

    def _is_served(self, head: Head | None) -> bool:
        served = self._follower.served
        return head is not None and served is not None and head.change == served.change

    def _report(self) -> None:
        self._unreported_since = 0.0
        interval_s, judges = self._follower.timing.report_s, self._local.judges
        self._telling.report(self.status(), self._namespace, interval_s=interval_s, judges=judges)
