"""A clock moved by hand."""

from __future__ import annotations


class Clock:
    """Call it for the Unix time in seconds; it stands still until `advance`."""

    def __init__(self, now_s: float = 1_750_000_000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
