"""The publishers, for people and programs: the active one, and who stands by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.names import plain

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
    return _text(fact) if fact else "none is active"


def standby_facts(seen: Survey) -> list[dict[str, Any]]:
    """Who stands by, and what they say; one whose sources are refused, or differ, is of little help to come."""
    return [{"instance": each.instance, "state": each.state, "why": each.error} for each in seen.standby]


def standby_texts(seen: Survey) -> list[str]:
    """The same in a few words each."""
    return [_text(fact) for fact in standby_facts(seen)]


def _text(fact: dict[str, Any]) -> str:
    why = f": {plain(fact['why'])}" if fact["why"] else ""
    return f"{fact['instance']}, {fact['state'] or 'silent'}{why}"
