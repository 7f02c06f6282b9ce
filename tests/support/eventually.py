"""Waiting for what must become true, with a deadline and a last word."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def eventually(check: Callable[[], T], *, within_s: float = 20.0, describe: Callable[[], object] | None = None) -> T:
    """What `check` returns as soon as that is true. The deadline is for machines that are busy; it costs nothing else.

    A failed assertion inside `check` means "not yet". At the deadline the test fails with what was seen last:
    the assertion, or the result, or what `describe` says.
    """
    deadline = monotonic() + within_s
    pause_s = 0.001
    while True:
        not_yet: AssertionError | None = None
        seen: object = None
        try:
            if seen := check():
                return seen
        except AssertionError as failed:
            not_yet = failed
        if monotonic() >= deadline:
            last = describe() if describe else not_yet or seen
            raise AssertionError(f"Not within {within_s:g} s; last seen: {last!r}") from not_yet
        sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.05)
