"""When the publisher publishes by itself. Pure: from its merge, what it accounted for, and the head.

It reacts to a change of its own merge, not to a difference from the head: a restart, a take-over with the same inputs
or a head moved by somebody else publishes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

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
    """A step, and the sections that hold it up."""

    step: Step
    held: tuple[str, ...] = ()


def decide(merge: Manifest, accounted: str | None, head: Head | None, quarantine: Collection[str]) -> Decision:
    """The step for `merge`.

    `accounted` is the digest of this publisher's last merge that was also the head's `merged`, or else of the one it
    began with (None: it decides for the first time). `quarantine` holds `section digest` pairs.
    """
    held = held_sections(merge, quarantine)
    if held:
        return Decision(Step.HELD, held)
    if head is None or not head.merged:
        return Decision(Step.PUBLISH)
    if merge.digest == head.merged:
        return Decision(Step.IN_STEP)
    if accounted not in {None, merge.digest}:
        return Decision(Step.PUBLISH)
    return Decision(Step.IN_STEP if merge.digest == head.digest else Step.DIVERGED)


def held_sections(merge: Manifest, quarantine: Collection[str]) -> tuple[str, ...]:
    """The sections of `merge` that still have content which was rolled back."""
    return tuple(name for name, digest in merge.sections.items() if f"{name} {digest}" in quarantine)
