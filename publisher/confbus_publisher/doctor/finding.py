"""What a check found: nothing, something that it could not look at, or one of the known kinds of trouble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["fine", "unseen", "warning", "error"]
Area = Literal["sources", "machine", "server", "login", "namespace", "fleet"]
AREAS: tuple[Area, ...] = ("sources", "machine", "server", "login", "namespace", "fleet")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for a person: `what` is so, `why` it matters, and what to do (`advice`).

    `name` is the kind of trouble, and empty for what is fine or unseen.
    """

    area: Area
    level: Level
    what: str
    name: str = ""
    why: str = ""
    advice: str = ""

    def fact(self) -> dict[str, str]:
        """As plain values."""
        return {
            "area": self.area,
            "level": self.level,
            "name": self.name,
            "what": self.what,
            "why": self.why,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True)
class Trouble:
    """A kind of trouble; docs/doctor.md has a row for each. A warning may be meant that way, an error may not."""

    area: Area
    level: Literal["warning", "error"]
    name: str
    why: str

    def found(self, what: str, advice: str) -> Finding:
        """It is there: `what` exactly, and what to do about it."""
        return Finding(self.area, self.level, what, self.name, self.why, advice)


def fine(area: Area, what: str) -> Finding:
    """Something that was looked at, and is as it should be."""
    return Finding(area, "fine", what)


def unseen(area: Area, what: str, why: str) -> Finding:
    """Something that could not be looked at, which is no trouble by itself."""
    return Finding(area, "unseen", f"cannot look at {what}", why=why)
