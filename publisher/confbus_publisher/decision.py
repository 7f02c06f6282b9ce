"""When the publisher publishes by itself. Pure: from its merge, what it accounted for, and the head.

It reacts to a change of its own merge, not to a difference from the head: a restart, a take-over with the same inputs
or a head moved by somebody else publishes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from confbus.wire.head import Head
    from confbus.wire.manifest import Manifest


class Step(Enum):
    """What the active publisher does about its merge; the value is the word that people see."""

    IN_STEP = "in step"
    PUBLISH = "publish"
    HELD = "held"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Decision:
    """A step, and the sections that hold it up; `pair` is the first of them as it stands in quarantine."""

    step: Step
    held: tuple[str, ...] = ()
    pair: str = field(default="", compare=False)

    def complaint(self, quarantine: Mapping[str, str]) -> str:
        """Which sections are still what was rolled back, what to do, and why the first of them was."""
        sections = ", ".join(self.held)
        return f"{sections}: still what was rolled back; mend it, or `confbus resume`. It was {quarantine[self.pair]}"


def decide(
    merge: Manifest,
    accounted: str | None,
    head: Head | None,
    quarantine: Collection[str],
    *,
    aliases: Callable[[], Sequence[Manifest]] = tuple,
    guises: Callable[[str], Collection[str]] = lambda _section: (),
    running: Manifest | None = None,
) -> Decision:
    """The step for `merge`.

    `accounted` is the digest of this publisher's last merge that was also the head's `merged`, or else of the one it
    began with (None: it decides for the first time). `quarantine` holds `section digest` pairs. `aliases` are what
    `merge` would be under other keys: the same content; `guises` are as in `held_pairs`; `running` is what the head
    stands for.
    """
    pairs = held_pairs(merge, quarantine, aliases=aliases, guises=guises, running=running)
    if pairs:
        return Decision(Step.HELD, tuple(pairs), next(iter(pairs.values()))[0])
    if head is None or not head.merged:
        return Decision(Step.PUBLISH)
    if merge.digest == head.merged:
        return Decision(Step.IN_STEP)
    digests = {merge.digest, *(alias.digest for alias in aliases())}
    if head.merged in digests:
        return Decision(Step.IN_STEP)
    if accounted is not None and accounted not in digests:
        return Decision(Step.PUBLISH)
    return Decision(Step.IN_STEP if head.digest in digests else Step.DIVERGED)


def held_pairs(
    merge: Manifest,
    quarantine: Collection[str],
    *,
    aliases: Callable[[], Sequence[Manifest]] = tuple,
    guises: Callable[[str], Collection[str]] = lambda _section: (),
    running: Manifest | None = None,
) -> dict[str, list[str]]:
    """The sections of `merge` that still have content which was rolled back, whether and by whichever key that was
    sealed, each with its pairs in `quarantine`.

    `guises` gives for a section the digests that its content would have if it were sealed, or were not. What the
    `running` manifest has under another key is in force: that is not held.
    """
    found: dict[str, list[str]] = {}
    if not quarantine:
        return found
    manifests = (merge, *aliases())
    for name in merge:
        digests = dict.fromkeys(each.sections[name] for each in manifests)
        pairs = [pair for each in digests if (pair := f"{name} {each}") in quarantine]
        there = running.sections.get(name) if running else None
        if pairs and (len(digests) == 1 or there not in digests):
            found[name] = pairs
    for pair in quarantine:
        name, _, digest = pair.rpartition(" ")
        there = running.sections.get(name) if running else None
        is_in_force = there is not None and there == merge.sections.get(name)
        if not is_in_force and pair not in found.get(name, ()) and digest in guises(name):
            found.setdefault(name, []).append(pair)
    return found
