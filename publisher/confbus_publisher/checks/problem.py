"""What a check found, told so that a person can mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confbus.wire.path import pointer, render

if TYPE_CHECKING:
    from confbus.wire.path import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at `path`, which is written at `origin`; `rule` names the check or the rule that says so.

    An error keeps the document from going out, a warning is told. No text of it holds a value of the document.
    """

    path: Path
    message: str
    advice: str = ""
    origin: str = ""
    rule: str = ""
    is_error: bool = True

    @property
    def headline(self) -> str:
        """Where, what and why, in one line, without the advice."""
        place = f"{self.origin}: " if self.origin else ""
        return f"{place}{render(self.path) or 'the document'}: {self.message}."

    def __str__(self) -> str:
        return f"{self.headline} {self.advice}".strip()

    def fact(self) -> dict[str, Any]:
        """The problem for programs."""
        return {
            "problem": self.headline,
            "advice": self.advice,
            "level": "error" if self.is_error else "warning",
            "path": pointer(self.path),
            "origin": self.origin,
            "rule": self.rule,
        }
