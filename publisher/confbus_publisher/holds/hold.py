"""One hold: a section, or everything, that no publisher changes by itself, for a reason and perhaps until a time.

The store keeps it as JSON under the name of the section. People write there by hand: a plain text holds as well, and is
the reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confbus.errors import ConfBusError, Malformed, SourceFailed
from confbus.wire.release import MAX_AT_MS
from confbus.wire.sections import name_of, path_of
from confbus_publisher.formats.json import read_json
from confbus_publisher.ledger import Amendment

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from confbus.wire.manifest import Manifest
    from confbus_publisher.ledger import Holds, Store

ALL = "*"
_MOST_WORDS, _LONGEST_NAME, _MOST_BYTES = 500, 200, 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """`section` is a top-level key, `.` for the values that are no mappings, or `*` for all. Times are the server's;
    `until_ms` None: until somebody lifts it."""

    section: str
    reason: str
    by: str = ""
    at_ms: int = 0
    until_ms: int | None = None

    def covers(self, name: str) -> bool:
        """Whether the section of that name, which may be a part of one, is held."""
        return self.section in {ALL, name_of(path_of(name)[:1])}

    def has_ended(self, at_ms: int) -> bool:
        return self.until_ms is not None and self.until_ms <= at_ms

    def text(self) -> str:
        """What the store keeps."""
        facts = {"reason": self.reason, "by": self.by, "at_ms": self.at_ms, "until_ms": self.until_ms}
        return json.dumps(facts, separators=(",", ":"), ensure_ascii=False)

    def __str__(self) -> str:
        from datetime import UTC, datetime

        by = f" by {self.by}" if self.by else ""
        what = "everything" if self.section == ALL else self.section
        until = (
            f" until {datetime.fromtimestamp(self.until_ms / 1000, UTC):%Y-%m-%d %H:%M:%SZ}" if self.until_ms else ""
        )
        return f"{what} is held{by}{until}: {self.reason}"


def put(store: Store, section: str, *, by: str, reason: str, until_ms: int | None = None) -> Hold:
    """Hold `section` from now on, in place of an earlier hold of it; publishers look at once.

    Raises `ConfBusError` for what is no section, without a reason, and for a time that is past.
    """
    now_ms = store.time_ms()
    refuse_no_section(section)
    if not reason.strip():
        raise ConfBusError("A hold needs a reason.", advice="Say why with -m.")
    if until_ms is not None and not now_ms < until_ms <= MAX_AT_MS:
        raise ConfBusError("The hold would end in the past, or never.", advice="Name a time to come, or a duration.")
    hold = Hold(section=section, reason=_fit(reason, _MOST_WORDS), by=_fit(by, 200), at_ms=now_ms, until_ms=until_ms)
    entry = {"action": "hold", "section": section, "author": hold.by, "message": hold.reason}
    until = {} if until_ms is None else {"until_ms": str(until_ms)}
    store.amend(Amendment("holds", section, hold.text(), entry | until))
    return hold


def refuse_no_section(section: str) -> None:
    """Raises `ConfBusError` for what cannot be held."""
    if section == ALL:
        return
    try:
        is_section = len(section) <= _LONGEST_NAME and len(path_of(section)) <= 1
    except Malformed:
        is_section = False
    if not is_section:
        advice = "Name a top-level key; or * for all, and . for top-level values that are no mappings."
        raise ConfBusError(f"{section[:_LONGEST_NAME]!r} is no section.", advice=advice)


def lift(store: Store, section: str, *, by: str, reason: str = "", action: str = "resume", text: str = "") -> bool:
    """Take the hold of `section` away; with `text`, only while it is that. False when there is none."""
    entry = {"action": action, "section": section, "author": by, "message": _fit(reason, _MOST_WORDS)}
    return store.amend(Amendment("holds", section, None, entry, expected=text or None))


def parse_all(texts: Mapping[str, str]) -> list[Hold]:
    """The holds that the store keeps, by section."""
    return [_parse(section, text) for section, text in sorted(texts.items())]


def in_force(seen: Holds) -> list[Hold]:
    """Those of the holds that were `seen` which had not ended then."""
    return [hold for hold in parse_all(seen.texts) if not hold.has_ended(seen.now_ms)]


def keeping(holds: Collection[Hold], merge: Manifest, running: Manifest | None) -> list[Hold]:
    """The holds that keep `merge` from going out in place of `running`, because it changes what they hold."""
    if not holds:
        return []
    changed = running.changes_to(merge) if running is not None else dict.fromkeys(merge)
    return [hold for hold in holds if any(hold.covers(name) for name in changed)]


def _parse(section: str, text: str) -> Hold:
    """Whatever stands there holds: who wrote it meant that."""
    plain = Hold(section=section, reason=text[:_MOST_WORDS])
    if len(text) > _MOST_BYTES:
        return plain
    try:
        facts: Any = read_json(text, origin_name="")
        until_ms, at_ms = facts.get("until_ms"), facts.get("at_ms", 0)
        times = [at_ms] if until_ms is None else [at_ms, until_ms]
        if not all(type(time) is int and 0 <= time <= MAX_AT_MS for time in times):
            return plain
        reason, by = str(facts["reason"])[:_MOST_WORDS], str(facts.get("by") or "")[:200]
    except (SourceFailed, AttributeError, KeyError, TypeError):
        return plain
    return Hold(section=section, reason=reason, by=by, at_ms=at_ms, until_ms=until_ms)


def _fit(text: str, most: int) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().split())[:most]
