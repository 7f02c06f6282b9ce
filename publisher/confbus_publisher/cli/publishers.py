"""The active publisher, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus_publisher.cli.output import plain

if TYPE_CHECKING:
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
    if fact is None:
        return "none is active"
    why = f": {plain(fact['why'])}" if fact["why"] else ""
    return f"{fact['instance']}, {fact['state'] or 'silent'}{why}"
