"""A Redis that loses data, answers late or not at all, and hands notices on as badly as pub/sub may."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from confbus.errors import OutcomeUnknown, Unreachable
from confbus.wire.notice import HINT
from confbus_publisher.ledger.memory import MemoryStore

if TYPE_CHECKING:
    from random import Random

    from confbus.wire.head import Head
    from confbus.wire.release import Release
    from confbus_publisher.ledger.store import Commit
    from support.agenda import Agenda
    from support.witness import Witness


class Listener(Protocol):
    def hear(self, link: Link, message: bytes) -> None: ...

    def lose(self, link: Link) -> None: ...


@dataclass(eq=False, slots=True)
class Link:
    """One subscribed connection. A silent one carries nothing, a deaf one all but notices: it still answers pings."""

    listener: Listener
    mode: Literal["sound", "silent", "deaf"] = "sound"


@dataclass(frozen=True, slots=True)
class Image:
    """All that is stored at one moment, to be put back later."""

    head: Head | None = None
    releases: dict[int, Release] = field(default_factory=dict[int, "Release"])
    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    quarantine: dict[str, str] = field(default_factory=dict[str, str])
    fleet: dict[str, bytes] = field(default_factory=dict[str, bytes])


class SimulatedRedis(MemoryStore):
    """The store of a simulated world. While `is_stormy`, commands fail, notices get lost, doubled and late, and the
    world moves on while a publisher waits for an answer; else everything works, at once."""

    def __init__(self, agenda: Agenda, witness: Witness, rng: Random) -> None:
        super().__init__(clock=agenda)
        self.agenda = agenda
        self.witness = witness
        self.is_stormy = True
        self.is_up = True
        self.is_hinting = False
        self.is_holding_up = False
        self.links: list[Link] = []
        self.images: list[Image] = [Image()]
        self._notices: list[bytes] = [HINT]
        self._rng = rng
        self._began_s = float("-inf")
        self._hold_up: tuple[int, float] = (-1, 0.0)

    @property
    def there(self) -> Head | None:
        """The head, whatever the weather."""
        return self._head

    @property
    def reports(self) -> dict[str, bytes]:
        """The reports, whatever the weather."""
        return self._fleet if self.is_up else {}

    def head(self) -> Head | None:
        self._reach()
        return self._head

    def fleet(self) -> dict[str, bytes]:
        self._reach()
        return super().fleet()

    def take_lease(self, holder: str, ttl_ms: int) -> str:
        self._reach()
        before, after = self._lease[0], super().take_lease(holder, ttl_ms)
        if after != before:
            self.witness.tell(after, "holds the lease")
            self.witness.tenure_began(after.partition(":")[0])
        return after

    def age_s(self) -> float:
        return self.agenda.now_s - self._began_s

    def listeners(self) -> int:
        return len(self.links)

    def commit(self, commit: Commit) -> str:
        self._reach()
        super().commit(commit)
        if self._head is commit.head:
            self.images.append(self._image())
            self.witness.committed(commit)
            self.witness.replaced(commit, self.lease().partition(":")[0])
            self.send(HINT if self.is_hinting else commit.notice)
        if self.is_stormy and self._rng.random() < 0.03:
            raise OutcomeUnknown("the change", commit.head.change, "the connection broke")
        return ""

    def hold_up(self, calls: int, for_s: float) -> None:
        """Whoever makes the call after so many more is stopped before it, and goes on as if nothing was later."""
        self._hold_up = (calls, for_s)

    def subscribe(self, listener: Listener) -> Link:
        link = Link(listener)
        self.links.append(link)
        return link

    def unsubscribe(self, link: Link) -> None:
        if link in self.links:
            self.links.remove(link)

    def send(self, message: bytes) -> None:
        """Hand a notice to everybody who listens, as far as the weather allows."""
        self._notices.append(message)
        for link in self.links:
            if link.mode != "sound":
                continue
            if not self.is_stormy:
                self._hand(link, message, 0.005)
                continue
            luck = self._rng.random()
            if luck > 0.15:
                self._hand(link, message, self._delay())
            if luck > 0.9:
                self._hand(link, message, self._delay())

    def send_again(self) -> None:
        """An earlier notice comes once more, out of its time."""
        self.send(self._rng.choice(self._notices))

    def cut(self, link: Link) -> None:
        """The connection ends, and both sides know."""
        self.unsubscribe(link)
        link.listener.lose(link)

    def fail(self) -> None:
        """Stop answering. Connections break, or just fall silent."""
        self.is_up = False
        self.witness.tell("redis", "is away")
        for link in tuple(self.links):
            if self._rng.random() < 0.7:
                self.cut(link)
            else:
                link.mode = "silent"

    def recover(self) -> None:
        self.is_up, self._began_s = True, self.agenda.now_s
        self.witness.tell("redis", "is back")

    def come_back_as(self, image: Image) -> None:
        """What is stored becomes what was stored once. Reports may outlive it or not."""
        self._head = image.head
        self._releases, self._blobs = image.releases.copy(), image.blobs.copy()
        self._quarantine = image.quarantine.copy()
        if self._rng.random() < 0.7:
            self._fleet = image.fleet.copy()
        self._lease = ("", 0) if self._rng.random() < 0.5 else self._lease
        self.witness.tell("redis", "comes back as", image.head)

    def lose_a_part(self) -> None:
        """One kind of key is gone, or some of its fields: an eviction, a partial copy, a slip of the hand."""
        part = self._rng.choice(("head", "release", "releases", "blobs", "a blob", "quarantine", "fleet"))
        self.witness.tell("redis", "loses", part)
        if part == "head":
            self._head = None
        elif part == "release" and self._head:
            self._releases.pop(self._head.version, None)
        elif part == "releases":
            self._releases.clear()
        elif part == "blobs":
            self._blobs.clear()
        elif part == "a blob" and self._blobs:
            del self._blobs[self._rng.choice(sorted(self._blobs))]
        elif part == "quarantine":
            self.witness.forget(set(self._quarantine))
            self._quarantine.clear()
        elif part == "fleet":
            self._fleet.clear()

    def _image(self) -> Image:
        kept = (self._releases.copy(), self._blobs.copy(), self._quarantine.copy(), self._fleet.copy())
        return Image(self._head, *kept)

    def _reach(self) -> None:
        self._stop_somebody()
        if self.is_stormy and self._rng.random() < 0.1:
            self.agenda.run(self.agenda.now_s + self._rng.expovariate(10))
        if not self.is_up or (self.is_stormy and self._rng.random() < 0.01):
            raise Unreachable(self.where, "nobody answers")

    def _stop_somebody(self) -> None:
        calls, for_s = self._hold_up
        self._hold_up = (calls - 1, for_s)
        if calls == 0 and self.is_stormy and not self.is_holding_up:
            self.is_holding_up = True
            self.witness.tell("world", "stops somebody for", f"{for_s:.0f} s")
            self.agenda.run(self.agenda.now_s + for_s)
            self.witness.tell("world", "lets them go on")
            self.is_holding_up = False

    def _delay(self) -> float:
        return self._rng.uniform(0.001, 0.03) if self._rng.random() < 0.85 else self._rng.uniform(0.03, 4.0)

    def _hand(self, link: Link, message: bytes, delay_s: float) -> None:
        def arrive() -> None:
            if link.mode == "sound":
                link.listener.hear(link, message)

        self.agenda.after(delay_s, arrive)
