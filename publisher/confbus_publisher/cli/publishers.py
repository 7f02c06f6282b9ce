"""The publishers, for people and programs: the active one, and who stands by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.names import plain
from confbus_publisher import standing
from confbus_publisher.moments import age

if TYPE_CHECKING:
    from confbus_publisher.fleet import Report
    from confbus_publisher.survey import Survey


def active_fact(seen: Survey) -> dict[str, Any] | None:
    """Who is active and where it stands, or None; `state` is null for one that never reported."""
    if not seen.holder:
        return None
    report = seen.active
    state, why = (report.state, report.error) if report else (None, "")
    return {"instance": seen.holder, "state": state, "why": why}


def active_text(seen: Survey) -> str:
    """The same in a few words."""
    fact = active_fact(seen)
    return _text(fact) if fact else "none is active"


def standby_facts(seen: Survey) -> list[dict[str, Any]]:
    """Who stands by, and what they say; one whose sources are refused, or differ, is of little help to come."""
    return [{"instance": each.instance, "state": each.state, "why": each.error} for each in seen.standby]


def standby_texts(seen: Survey) -> list[str]:
    """The same in a few words each. One that last said what only an active one says did not hear who followed it."""
    return [_standby_text(report, seen) for report in seen.standby]


def _standby_text(report: Report, seen: Survey) -> str:
    if report.state == standing.STANDBY:
        return report.instance
    if report.labels.get("lease") == "active":
        return f"{report.instance}, was active, and silent for {age(report.at_ms, seen.now_ms)}"
    return _text({"instance": report.instance, "state": report.state, "why": report.error})


def _text(fact: dict[str, Any]) -> str:
    why = f": {plain(fact['why'])}" if fact["why"] else ""
    return f"{fact['instance']}, {fact['state'] or 'silent'}{why}"
