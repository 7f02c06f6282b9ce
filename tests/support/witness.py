"""Who watches a simulated world, and complains the moment that something happens which must never happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from confbus.wire.head import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus.wire.manifest import Manifest
    from confbus_publisher.ledger import State
    from confbus_publisher.ledger.store import Commit

_SHOWN = 60


class Broken(AssertionError):
    """The protocol broke one of its promises; the message tells the seed, and what happened before."""


class Witness:
    """Knows the true story: every choice somebody made, whatever Redis forgot of it.

    A *choice* is a content that was made the head on purpose: published, rolled back to, adopted; or resumed where the
    epoch forks, by which an operator chooses a branch with what it has. A repair, and a Redis that comes back from a
    backup, make no choice: they bring an earlier one back. Each choice has passed all choices that led to it, commit by
    commit. A worker has passed the choices it ran, and what those had passed.

    A head is *old* for a worker when its content differs from what runs, its choice is one that the worker has passed,
    and so is the last choice of the same content: it was replaced in the history that this worker followed, and nobody
    chose it again since. (A branch that the worker never followed is not old: which of two branches is the later one
    cannot be told from heads. The rule follows a fork of its own epoch, and no other branch.)

    What was rolled back must not be published by anybody who *knows* it: a publisher knows what its memory says, and
    what the store says, but for what an operator lifted since.
    """

    def __init__(self, seed: int, clock: Callable[[], float]) -> None:
        self._seed = seed
        self._clock = clock
        self._begun_s = clock()
        self._story: list[tuple[float, str, str, tuple[object, ...]]] = []
        self._passed: list[int] = []
        self._last_choice: dict[str, int] = {}
        self._choice_of: dict[str, int] = {}
        self._choice_at: dict[tuple[str, int, str], int] = {}
        self._places: set[tuple[str, int]] = set()
        self._contents: dict[str, Mapping[str, object]] = {}
        self._lifted: list[set[str]] = []
        self._lifted_before: dict[str, int] = {}
        self._forgotten: set[str] = set()
        self._tenure: tuple[str, float] = ("", 0.0)
        self._made_at: dict[str, tuple[str, float]] = {}

    def tell(self, who: str, what: str, *details: object) -> None:
        """Note what happens, for whoever has to read the story of a broken promise."""
        self._story.append((self._clock() - self._begun_s, who, what, details))

    def steps(self) -> list[tuple[float, str, str]]:
        """The story without what chance names: who did what, when."""
        return [(at_s, who, what) for at_s, who, what, _ in self._story]

    def complain(self, promise: str) -> NoReturn:
        story = (
            f"{at_s:8.3f}  {who:<12} {what} {' '.join(map(_brief, details))}"
            for at_s, who, what, details in self._story[-_SHOWN:]
        )
        raise Broken(f"seed {self._seed}: {promise}\n" + "\n".join(story))

    def committed(self, commit: Commit) -> None:
        """The head was changed by one of ours."""
        head, base, action = commit.head, commit.base, commit.entry["action"]
        place = head.epoch, head.revision
        if action in {"publish", "rollback", "adopt"} or (action == "resume" and place in self._places):
            before = self._choice_of[base.change] if base else None
            self._passed.append(0 if before is None else self._passed[before] | 1 << before)
            self._last_choice[head.digest] = len(self._passed) - 1
            choice = len(self._passed) - 1
        else:
            base_place = head.lineage[-1] if action == "restore" else (head.epoch, head.revision - 1)
            choice = self._choice_at.get((*base_place, head.digest), self._last_choice[head.digest])
        self._places.add(place)
        self._choice_of[head.change] = self._choice_at[head.epoch, head.revision, head.digest] = choice
        self._lift(commit)
        self.tell(commit.entry["author"], action, head, f"choice {choice}")

    def tenure_began(self, holder: str) -> None:
        """The lease is this one's from now on."""
        self._tenure = holder, self._clock()

    def replaced(self, commit: Commit, holder: str) -> None:
        """The head was changed while `holder` had the lease: its own changes since it has are nobody else's to undo
        by himself."""
        author, action = commit.entry["author"], commit.entry["action"]
        self._made_at[commit.head.change] = author, self._clock()
        made_by, at_s = self._made_at.get(commit.base.change if commit.base else "", ("", 0.0))
        is_beside = author != "operator" and action == "publish" and holder not in {"", author}
        if is_beside and made_by == holder == self._tenure[0] and at_s > self._tenure[1]:
            self.complain(f"{author} replaced what {holder} had published, which is active")

    def _lift(self, commit: Commit) -> None:
        lifted, action = set(commit.lifted), commit.entry["action"]
        if commit.release and action in {"rollback", "adopt"}:
            lifted |= _pairs(commit.release.manifest)
        if action == "rollback":
            self._forgotten.difference_update(commit.quarantined)
        self._lifted.append(lifted)
        self._lifted_before[commit.head.change] = len(self._lifted)

    def forget(self, pairs: set[str]) -> None:
        """A quarantine that was lost alone cannot be told from one that an operator lifted."""
        self._forgotten |= pairs

    def held(self, state: State) -> set[str]:
        """What somebody who knows `state` must hold."""
        since = self._lifted[self._lifted_before[state.head.change] :]
        return state.quarantine.keys() - self._forgotten.union(*since)

    def merged(self, digest: str, document: Mapping[str, object]) -> None:
        """Somebody's sources say `document`."""
        self._contents[digest] = document

    def publishes(self, who: str, merge: Manifest, *, over: Manifest, held: set[str], is_news: bool) -> None:
        """A publisher is about to publish by itself over `over`, knowing that `held` must not go out."""
        if bad := (_pairs(merge) - _pairs(over)) & held:
            self.complain(f"{who} published what was rolled back: {sorted(bad)}")
        if not is_news:
            self.complain(f"{who} published though its sources had not changed")

    def applied(self, who: str, head: Head, document: Mapping[str, object], passed: int) -> int:
        """A worker applied `head`, having passed `passed` before; returns what it has passed now."""
        choice = self._choice_of.get(head.change)
        if choice is None:
            self.complain(f"{who} applied a head that never was: {_brief(head)}")
        if document != self._contents[head.digest]:
            self.complain(f"{who} serves what nobody published as {_brief(head)}")
        if passed >> choice & passed >> self._last_choice[head.digest] & 1:
            self.complain(f"{who} went back to {_brief(head)}, choice {choice}")
        return passed | self._passed[choice] | 1 << choice


def _pairs(manifest: Manifest) -> set[str]:
    return {f"{section} {blob}" for section, blob in manifest.sections.items()}


def _brief(thing: object) -> str:
    if isinstance(thing, Head):
        return f"[{thing.epoch[:3]} r{thing.revision} {thing.change[:3]} v{thing.version} {thing.digest[:4]}]"
    return str(thing)
