"""Who watches a simulated world, and complains the moment that something happens which must never happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from confbus.wire.frozen import Frozen
    from confbus.wire.head import Head
    from confbus.wire.manifest import Manifest
    from confbus_publisher.ledger.store import Commit

DELIBERATE = {"publish", "rollback", "adopt"}
_SHOWN = 60


class Broken(AssertionError):
    """The protocol broke one of its promises; the message tells the seed, and what happened before."""


class Witness:
    """Knows the true story: every choice somebody made, whatever Redis forgot of it.

    A *choice* is a content that was made the head on purpose: published, rolled back to, adopted. A repair, and a
    Redis that comes back from a backup, make no choice: they bring an earlier one back. Each choice has passed all
    choices that led to it, commit by commit. A worker has passed the choices it ran, and what those had passed.

    Content is *old* for a worker when it differs from what runs, and the last choice of it is one that the worker has
    passed: it was replaced in the history that this worker followed, and nobody chose it again since.
    """

    def __init__(self, seed: int, clock: Callable[[], float]) -> None:
        self._seed = seed
        self._clock = clock
        self._begun_s = clock()
        self._story: list[tuple[float, str, str, tuple[object, ...]]] = []
        self._passed: list[int] = []
        self._last_choice: dict[str, int] = {}
        self._choice_of: dict[str, int] = {}
        self._contents: dict[str, Frozen] = {}
        self.lifted: list[set[str]] = []
        self._holders: list[set[str]] = []

    def tell(self, who: str, what: str, *details: object) -> None:
        """Note what happens, for whoever has to read the story of a broken promise."""
        self._story.append((self._clock() - self._begun_s, who, what, details))

    def story(self, count: int = _SHOWN) -> str:
        lines = (
            f"{at_s:8.3f} {who:<10} {what} {' '.join(map(_brief, details))}" for at_s, who, what, details in self._story
        )
        return "\n".join(list(lines)[-count:])

    def complain(self, promise: str) -> None:
        raise Broken(f"seed {self._seed}: {promise}\n{self.story()}")

    def committed(self, commit: Commit) -> None:
        """The head was changed by one of ours."""
        head, base, action = commit.head, commit.base, commit.entry["action"]
        before = self._choice_of.get(base.change) if base else None
        if action in DELIBERATE:
            self._passed.append(0 if before is None else self._passed[before] | 1 << before)
            self._last_choice[head.digest] = len(self._passed) - 1
        self._choice_of[head.change] = self._last_choice[head.digest]
        if commit.release and action in {"adopt", "rollback"}:
            self._lift({*commit.lifted, *pairs(commit.release.manifest)})
        else:
            self._lift(set(commit.lifted))
        self.tell(commit.entry["author"], action, head, f"choice {self._choice_of[head.change]}")

    def _lift(self, lifted: set[str]) -> None:
        self.lifted.append(lifted)
        for held in self._holders:
            held.difference_update(lifted)

    def merged(self, digest: str, document: Frozen) -> None:
        """Somebody's sources say `document`."""
        self._contents[digest] = document

    def watch(self, held: set[str]) -> None:
        """What a publisher knows to be rolled back; what an operator lifts, everybody is told."""
        self._holders.append(held)

    def publishes(self, who: str, merge: Manifest, held: Iterable[str]) -> None:
        """A publisher is about to publish by itself, though it knows that `held` must not go out."""
        bad = pairs(merge) & set(held)
        if bad:
            self.complain(f"{who} published what was rolled back: {sorted(bad)}")

    def applied(self, who: str, head: Head, document: Mapping[str, object], passed: int) -> int:
        """A worker applied `head`, having passed `passed` before; returns what it has passed now."""
        choice = self._choice_of.get(head.change)
        if choice is None:
            self.complain(f"{who} applied a head that never was: {_brief(head)}")
            return passed
        if document != self._contents.get(head.digest):
            self.complain(f"{who} serves a content that nobody published as {_brief(head)}")
        if passed >> self._last_choice[head.digest] & 1:
            self.complain(f"{who} went back to {_brief(head)}, choice {choice}")
        return passed | self._passed[choice] | 1 << choice


def pairs(manifest: Manifest) -> set[str]:
    return {f"{section} {blob}" for section, blob in manifest.sections.items()}


def _brief(thing: object) -> str:
    fields = ("epoch", "revision", "change", "version", "digest")
    if all(hasattr(thing, name) for name in fields):
        epoch, revision, change, version, digest = (getattr(thing, name) for name in fields)
        return f"[{epoch[:3]} r{revision} {change[:3]} v{version} {digest[:4]}]"
    return str(thing)
