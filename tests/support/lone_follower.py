"""One real follower on a table: no thread, no socket, a clock moved by hand, and a store to follow."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from confbus import events
from confbus.follower import Follower
from confbus.timing import Timing
from confbus.wire import notice as notices
from confbus.wire.encoder import Encoder
from confbus.wire.sections import decode_section
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.head import Head
    from confbus.wire.notice import Notice
    from confbus_publisher.ledger.store import Commit

ANN = Why("ann")


class NoisyStore(MemoryStore):
    """A store in memory that keeps its notices, for whoever wants to deliver them."""

    def __init__(self) -> None:
        super().__init__()
        self.notices: list[bytes] = []

    @property
    def last_notice(self) -> Notice:
        notice = notices.decode(self.notices[-1])
        assert isinstance(notice, notices.Notice)
        return notice

    def commit(self, commit: Commit) -> str:
        self.notices.append(commit.notice)
        return super().commit(commit)

    def lose(self, *, releases: bool = False, blobs: bool = False) -> None:
        """Lose all releases, all blobs, or both; the head stays."""
        if releases:
            self._releases.clear()
        if blobs:
            self._blobs.clear()

    def put_head(self, head: Head | None) -> None:
        """Make the head what it was once, or what somebody else made it."""
        self._head = head


class LoneFollower:
    """A follower and the store it follows. `tell` hands it one event, carries out all that comes of it, and returns
    the names of the actions in order. What is in `refusing` makes the validators refuse; connections are acknowledged
    while `is_acking`, and reads answered while `is_reachable`."""

    def __init__(self, timing: Timing | None = None, *, seed: int = 1) -> None:
        self.store = NoisyStore()
        self.ledger = Ledger(self.store)
        self.follower = Follower(timing or Timing(), Random(seed))
        self.now_s = 1000.0
        self.refusing: set[str] = set()
        self.is_reachable = True
        self.is_acking = True

    @property
    def document(self) -> Mapping[str, Any]:
        """What the process reads."""
        return self.follower.running.document

    def publish(self, **document: Any) -> Head:
        """Publish sections by name, and return the head."""
        self.ledger.publish(Encoder().encode(document), ANN)
        assert self.ledger.state
        return self.ledger.state.head

    def follow(self) -> list[str]:
        """Connect, follow to where the store stands, and let the first reports pass."""
        return self.tell(events.Ticked()) + self.wait(1)

    def hear(self, message: bytes | None = None) -> list[str]:
        """Deliver a message, or else the last notice."""
        return self.tell(events.Heard(self.store.notices[-1] if message is None else message))

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, with every tick that falls due; pings are answered."""
        told: list[str] = []
        until_s = self.now_s + seconds
        while (due_s := max(self.follower.wake_at(), self.now_s)) <= until_s:
            self.now_s = due_s
            told += self.tell(events.Ticked())
            if told and told[-1] == "Ping":
                self.tell(events.Ponged())
        self.now_s = until_s
        return told

    def tell(self, event: events.Event) -> list[str]:
        """One event and all that follows from it."""
        told: list[str] = []
        pending = [event]
        while pending:
            for action in self.follower.handle(pending.pop(0), self.now_s):
                told.append(type(action).__name__)
                pending += self._carry_out(action)
        return told

    def _carry_out(self, action: events.Action) -> list[events.Event]:
        match action:
            case events.ReadHead() | events.Fetch() if not self.is_reachable:
                return [events.ReadFailed("nobody answers")]
            case events.Connect() if self.is_acking:
                return [events.Acked()]
            case events.ReadHead():
                return [events.HeadRead(self.store.head())]
            case events.Fetch():
                return [self._fetch(action)]
            case events.Apply():
                return [self._apply(action)]
            case _:
                return []

    def _fetch(self, fetch: events.Fetch) -> events.Event:
        found = self.store.releases([fetch.head.version])
        if not found or found[0].digest != fetch.head.digest:
            return events.ReadFailed("the release is gone", is_damage=True)
        wanted = {name: blob for name, blob in fetch.running.changes_to(found[0].manifest).items() if blob}
        blobs = self.store.blobs(wanted.values())
        if blobs.keys() != set(wanted.values()):
            return events.ReadFailed("a blob is gone", is_damage=True)
        return events.Fetched(
            fetch.head, found[0].manifest, {name: blobs[blob] for name, blob in wanted.items()}, found[0].at_ms
        )

    def _apply(self, apply: events.Apply) -> events.Event:
        if apply.head.digest in self.refusing:
            return events.Refused(apply.head, "a validator said no")
        values = {
            name: None if blob is None else decode_section(name, blob, apply.manifest.sections[name])
            for name, blob in apply.blobs.items()
        }
        return events.Applied(apply.head, apply.base.changed(apply.manifest, values))
