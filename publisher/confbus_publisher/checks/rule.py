"""One rule of confbus.yaml."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as it stands at `origin`; `message` is told when it does not hold, in place of its text."""

    text: str
    origin: str = ""
    message: str = ""
    is_error: bool = True
