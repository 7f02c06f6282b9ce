"""How often a publisher does what it does by itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the publisher looks by itself, in seconds; the lease runs out `lease_s` after its holder died, and
    instances find a server that began anew within `return_s`."""

    poll_s: float = 5.0
    report_s: float = 30.0
    lease_s: float = 15.0
    return_s: float = 12.5
