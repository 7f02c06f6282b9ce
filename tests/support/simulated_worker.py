"""A worker without threads and sockets: carries out what a real follower asks for, in a simulated world."""

from __future__ import annotations

import json
from collections import deque
from random import Random
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
    FindAccepted,
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
from confbus.follower import Follower
from confbus.status import Status, stand
from confbus.wire.head import PROTOCOL
from confbus.wire.sections import decode_section

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.wire.head import Head
    from confbus.wire.sections import Assembly
    from support.agenda import Agenda
    from support.simulated_redis import Link, SimulatedRedis
    from support.witness import Witness


class SimulatedWorker:
    """One place in the fleet, held by one process after the other. A worker refuses every document whose
    `db.n` is in `refused`."""

    def __init__(self, name: str, redis: SimulatedRedis, *, rng: Random) -> None:
        self.name = name
        self.refused: set[int] = set()
        self.is_cut_off = False
        self.link: Link | None = None
        self._redis = redis
        self._agenda: Agenda = redis.agenda
        self._witness: Witness = redis.witness
        self._rng = rng
        self._life = 0
        self.start()

    def start(self) -> None:
        """A new process: it knows nothing of the one before."""
        self._life += 1
        self.instance = f"{self.name}:{self._life}"
        self.follower = Follower(rng=Random(self._rng.random()))
        self._inbox: deque[Event] = deque()
        self._results: deque[Event] = deque()
        self._actions: deque[Action] = deque()
        self._is_busy = False
        self._tick_at = float("inf")
        self._ran: Assembly | None = None
        self._passed = 0
        self._witness.tell(self.instance, "starts")
        self._deliver(Ticked())

    def end(self, *, is_graceful: bool) -> None:
        """Leave the stage until `start`; a killed process leaves its last report behind."""
        self._life += 1
        self._drop_link()
        if is_graceful:
            self._redis.forget([self.instance])
        self._witness.tell(self.instance, "leaves" if is_graceful else "is killed")

    def accept(self, refused: set[int]) -> None:
        """Other validators from now on."""
        self.refused = refused
        self.follower.judge_again()

    def has_followed(self) -> bool:
        """True when it stands at the head: running it, or refusing it by its own choice."""
        head, follower = self._redis.there, self.follower
        if head is None or follower.seen is None or follower.seen.change != head.change:
            return False
        return follower.state == "vetoing" or (
            follower.state == "live" and follower.running.manifest.digest == head.digest
        )

    def hear(self, link: Link, message: bytes) -> None:
        if link is self.link:
            self._deliver(Heard(message))

    def lose(self, link: Link) -> None:
        if link is self.link:
            self.link = None
            self._deliver(LinkLost("the connection broke"))

    def _deliver(self, event: Event) -> None:
        self._inbox.append(event)
        self._work()

    def _work(self) -> None:
        """As the real thread does: all that one event leads to comes before the next event."""
        while not self._is_busy and (self._actions or self._results or self._inbox):
            if self._actions:
                self._carry_out(self._actions.popleft())
                continue
            event = self._results.popleft() if self._results else self._inbox.popleft()
            self._actions.extend(self.follower.handle(event, self._agenda.now_s))
            if self.follower.running is not (self._ran or self.follower.running):
                self._witness.complain(f"{self.instance} runs what it never applied")
        if not self._is_busy and self.follower.wake_at() < self._tick_at:
            self._tick_at = self.follower.wake_at()
            self._later(self._tick_at - self._agenda.now_s, self._tick)

    def _tick(self) -> None:
        self._tick_at = float("inf")
        if self.follower.wake_at() <= self._agenda.now_s:
            self._deliver(Ticked())
        else:
            self._work()

    def _carry_out(self, action: Action) -> None:
        match action:
            case Apply():
                self._results.append(self._apply(action))
            case ReadHead():
                self._command(lambda: HeadRead(self._redis.there))
            case Fetch():
                self._command(lambda: self._fetched(action))
            case Connect():
                self._connect()
            case Ping():
                self._ping()
            case Report():
                self._report()
            case FindAccepted():
                return  # none of the simulated ones would accept what it refuses now

    def _command(self, read: Callable[[], Event]) -> None:
        """The answer comes later, and is as old as the way back was long."""
        self._is_busy = True
        if self._is_unreachable():
            wait_s = self._rng.choice((0.001, 0.1, 5.0))
            self._later(wait_s, lambda: self._answer(ReadFailed("nobody answers")))
        elif self._redis.is_stormy and self._rng.random() < 0.2:
            event = read()
            self._later(self._rng.expovariate(20), lambda: self._answer(event))
        else:
            self._later(0.002, lambda: self._answer(read()))

    def _answer(self, event: Event) -> None:
        self._is_busy = False
        self._results.append(event)
        self._work()

    def _fetched(self, fetch: Fetch) -> Event:
        head = fetch.head
        found = self._redis.releases([head.version])
        if not found or found[0].digest != head.digest:
            return ReadFailed(f"release {head.version} is another one", is_damage=True)
        release = found[0]
        changes = fetch.running.changes_to(release.manifest)
        wanted = {name: blob for name, blob in changes.items() if blob is not None}
        blobs = self._redis.blobs(wanted.values())
        if len(blobs) < len(set(wanted.values())):
            return ReadFailed(f"a blob of release {head.version} is gone", is_damage=True)
        return Fetched(head, release.manifest, {name: blobs[blob] for name, blob in wanted.items()}, release.at_ms)

    def _apply(self, apply: Apply) -> Event:
        try:
            values = {
                name: None if blob is None else decode_section(name, blob, apply.manifest.sections[name])
                for name, blob in apply.blobs.items()
            }
        except Malformed as error:
            return Refused(apply.head, str(error), is_damage=True)
        assembly = apply.base.changed(apply.manifest, values)
        if assembly.document["db"]["n"] in self.refused:
            self._witness.tell(self.instance, "refuses", apply.head)
            return Refused(apply.head, "no, not this one")
        self._swap(apply.head, assembly)
        return Applied(apply.head, assembly)

    def _swap(self, head: Head, assembly: Assembly) -> None:
        self._witness.tell(self.instance, "applies", head)
        if assembly.manifest.digest != head.digest:
            self._witness.complain(f"{self.instance} serves another digest than its head's")
        is_same = self._ran is not None and self._ran.manifest.digest == head.digest
        passed = 0 if is_same else self._passed
        self._passed |= self._witness.applied(self.instance, head, assembly.document, passed)
        self._ran = assembly

    def _connect(self) -> None:
        self._drop_link()
        self._is_busy = True
        if self._is_unreachable():
            wait_s = self._rng.choice((0.001, 3.0))
            self._later(wait_s, lambda: self._answer(LinkLost("nobody answers")))
        else:
            self._later(0.002, self._subscribe)

    def _subscribe(self) -> None:
        self.link = self._redis.subscribe(self)
        self._is_busy = False
        self._inbox.append(Acked())
        self._work()

    def _ping(self) -> None:
        if self.link is None:
            self._results.append(LinkLost("there is no connection"))
        elif self.link.mode != "silent" and not self.is_cut_off and self._redis.is_up:
            link = self.link

            def answer() -> None:
                if link is self.link:
                    self._deliver(Ponged())

            self._later(0.002, answer)

    def _report(self) -> None:
        if self._is_unreachable():
            return
        follower = self.follower
        status = Status(
            namespace="simulated",
            instance=self.instance,
            state=follower.state,
            seen=stand(follower.seen),
            running=stand(follower.served),
            verified_age_s=0.0,
            error=follower.error,
            counts=follower.counts,
        )
        report = status.report({}, interval_s=follower.timing.report_s, protocol=PROTOCOL, validators=1)
        report["at"] = self._redis.time_ms()
        self._redis.report(self.instance, json.dumps(report).encode())
        self._witness.tell(self.instance, "reports", follower.state, follower.seen)

    def _is_unreachable(self) -> bool:
        return self.is_cut_off or not self._redis.is_up or (self._redis.is_stormy and self._rng.random() < 0.02)

    def _drop_link(self) -> None:
        if self.link is not None:
            self._redis.unsubscribe(self.link)
            self.link = None

    def _later(self, delay_s: float, act: Callable[[], object]) -> None:
        life = self._life
        self._agenda.after(max(0.0, delay_s), lambda: life == self._life and act())
