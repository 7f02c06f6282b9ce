"""What a turn of the publisher leaves behind, by which others see that it lives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LastTurn:
    """When it ended, by the publisher's clock, in how many seconds the next one was due, and whether there was a merge
    of the sources by then."""

    ended_at: float
    due_in_s: float
    has_merged: bool
