"""What the fleet says of a release that is watched. Pure.

A veto counts from a live instance that refuses the very change that is guarded. Reports are hints that any worker may
write: one that names another change, or no veto, or an age, says nothing about this release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.follower import VETOING
from confbus.names import on_a_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus_publisher.fleet import Report
    from confbus_publisher.guard.guard import Guard

MOST_CHARACTERS = 300
"""Of an objection: it goes into logs, onto terminals, and into the audit trail."""


def objection(guard: Guard, live: Sequence[Report]) -> str:
    """Why too many of the `live` instances refuse what is guarded, naming one of them; empty when they do not."""
    vetoes = [report for report in live if _refuses(report, guard)]
    if not guard.vetoes.is_passed_by(len(vetoes), live=len(live)):
        return ""
    first = vetoes[0]
    instances = "instance" if len(live) == 1 else "instances"
    who, why = on_a_line(first.instance), on_a_line(first.error, most=MOST_CHARACTERS)
    return f"{len(vetoes)} of {len(live)} {instances} refused it: {who}: {why or 'without a reason'}"


def _refuses(report: Report, guard: Guard) -> bool:
    seen = report.seen
    return report.state == VETOING and seen is not None and (seen.change, seen.version) == (guard.change, guard.version)
