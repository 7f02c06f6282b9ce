"""How the trial of a release ends, as the one sees it who published it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from confbus.names import plain
from confbus_publisher.cli import outcome
from confbus_publisher.cli.output import say

if TYPE_CHECKING:
    from confbus_publisher.guard.guarding import Policy
    from confbus_publisher.guard.trial import Ending
    from confbus_publisher.ledger import Ledger

_EVERY_S = 10.0


def see_through(ledger: Ledger, policy: Policy, author: str) -> Ending | None:
    """How the trial of the head ended; None when there is none. Tells how far it is, and what ends the wait."""
    from confbus_publisher.guard import trial

    guard = ledger.state.guard if ledger.state else None
    if guard is None:
        return None
    say(f"Version {guard.version} is watched for {(guard.until_ms - guard.since_ms) / 1000:g} s.")
    progress = _Progress(time.monotonic() + (guard.until_ms - guard.since_ms) / 1000)
    try:
        ending = trial.see_through(ledger, policy, author=author, pause=progress.pause)
    except KeyboardInterrupt:
        say(f"Version {guard.version} is out, and on trial: the next active publisher goes on watching it.")
        raise
    if ending and ending.word == trial.REPLACED:
        say(f"Version {guard.version} was on trial still when version {ending.version} took its place.")
    return ending


def fact(ending: Ending | None) -> dict[str, Any] | None:
    """For programs."""
    return {"outcome": ending.word, "version": ending.version, "why": ending.why or None} if ending else None


def tell(ending: Ending) -> int:
    """Say that it was rolled back, or should have been. Returns the exit code."""
    from confbus_publisher.guard.trial import ROLLED_BACK

    label = click.style("error:", fg="red", bold=True)
    if ending.word != ROLLED_BACK:
        say(f"{label} Not accepted, and nothing to go back to. {plain(ending.why)}.")
        return outcome.FAILED
    say(f"{label} Rolled back, as version {ending.version}. {plain(ending.why)}.")
    return outcome.REFUSED


class _Progress:
    """Pauses that tell now and then how long it will take."""

    def __init__(self, ends_at: float) -> None:
        self._ends_at = ends_at
        self._told_at = time.monotonic()

    def pause(self, seconds: float) -> None:
        now = time.monotonic()
        left_s = self._ends_at - now
        if left_s > 0 and now - self._told_at >= _EVERY_S:
            self._told_at = now
            say(f"Nothing is wrong so far, {left_s:.0f} s to go.")
        time.sleep(min(seconds, max(left_s, 0.05)))
