"""What one turn of the publisher leaves behind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """When it ended, by the publisher's clock, in how many seconds the next one was due, and whether there was a merge
    of the sources by then."""

    ended_at: float
    due_in_s: float
    has_merged: bool
