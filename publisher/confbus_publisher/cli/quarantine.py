"""What is in quarantine, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Quarantine:
    """One content of one section that must not go out again by itself."""

    section: str
    digest: str
    why: str

    @property
    def pair(self) -> str:
        """Its name in the quarantine."""
        return f"{self.section} {self.digest}"

    def fact(self) -> dict[str, str]:
        return {"section": self.section, "digest": self.digest, "why": self.why}


def parse_quarantine(quarantine: Mapping[str, str]) -> list[Quarantine]:
    """Each content in `quarantine`, by section."""
    found: list[Quarantine] = []
    for pair, why in sorted(quarantine.items()):
        section, _, digest = pair.rpartition(" ")
        found.append(Quarantine(section, digest, why))
    return found
