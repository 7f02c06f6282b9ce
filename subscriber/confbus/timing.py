"""How often a subscriber looks, and what it counts."""

from __future__ import annotations

from confbus.wire.record import record


@record(frozen=True, slots=True)
class Timing:
    """How often, in seconds. A lost notice is healed within one `poll_s` (± 20 %) plus one fetch; a dead connection
    is noticed within `silence_s`. Reports go out at once, but not more often than every `report_gap_s`."""

    poll_s: float = 5.0
    report_s: float = 30.0
    report_gap_s: float = 0.2
    ping_s: float = 5.0
    silence_s: float = 15.0
    announce_s: float = 1.0
    backoff_s: float = 0.1
    max_backoff_s: float = 10.0


@record(slots=True)
class Counts:
    """What happened so far; only ever grows. `refreshed` is how often secrets changed behind their references, and
    `unrefreshed` how often what was read before had to stay."""

    notices: int = 0
    malformed: int = 0
    fetches: int = 0
    applied: int = 0
    vetoes: int = 0
    healed: int = 0
    reconnects: int = 0
    forks: int = 0
    regressions: int = 0
    refreshed: int = 0
    unrefreshed: int = 0
