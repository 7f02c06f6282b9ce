"""An entry of the audit trail on a screen, and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.names import plain
from confbus.wire.path import pointer
from confbus_publisher.cli import differences
from confbus_publisher.ledger.summary import Summary, parse
from confbus_publisher.moments import iso, local

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confbus_publisher.audit.contents import Step
    from confbus_publisher.ledger import LogEntry

HEADS = ("WHEN", "WHO", "ACTION", "VERSION", "WHAT")
_NUMBERS = ("version", "from", "of", "revision", "until_ms")
_KINDS = {"+": "added", "-": "removed", "~": "modified"}


def row(entry: LogEntry, step: Step | None) -> list[str]:
    """The cells below `HEADS`."""
    fields = entry.fields
    action = " ".join(filter(None, (fields.get("action", "?"), fields.get("attempt"))))
    return [local(entry.at_ms), fields.get("author", ""), action, fields.get("version", ""), _what(fields, step)]


def line(entry: LogEntry, step: Step | None) -> str:
    """The same, one after the other: nobody knows how wide the next one will be."""
    when, who, action, version, what = row(entry, step)
    return plain(f"{when}  {who}  {action}{version and f' {version}'}  {what}".rstrip())


def values(step: Step | None) -> Iterator[str]:
    """The old and the new value of each changed path, but for secrets."""
    if step is None:
        yield "  the releases before and after it are not both kept"
        return
    yield from ("  " + text for text in differences.step_lines(step))


def fact(entry: LogEntry, step: Step | None, *, has_values: bool) -> dict[str, Any]:
    """The entry for programs: what it holds, and its changes taken apart."""
    own = {"id": entry.id, "at": iso(entry.at_ms)}  # an entry that was imported has a field `at`, too
    facts: dict[str, Any] = dict(own)
    facts |= {name: _number(text) if name in _NUMBERS else text for name, text in entry.fields.items()}
    facts |= own
    told = _told(entry.fields, step)
    if told is not None:
        facts["changes"] = [
            {"path": pointer(item.path), "change": _KINDS[item.sign], "sealed": item.is_sealed} for item in told.items
        ]
        facts["more"] = told.more
    if has_values:
        facts["values"] = None if step is None else differences.step_facts(step)
    return facts


def _told(fields: Mapping[str, str], step: Step | None) -> Summary | None:
    """What changed: as it was told, else as the kept releases say."""
    if "changes" in fields:
        return parse(fields["changes"])
    return step.summary if step else None


def _what(fields: Mapping[str, str], step: Step | None) -> str:
    told = _told(fields, step)
    paths = [fields.get("path", ""), told.text() if told else ""]
    paths += [f"{word} {fields[word]}" for word in ("held", "lifted") if word in fields]
    changed = ", ".join(filter(None, paths))
    why = fields.get("why", "").removeprefix("- ").replace("\n- ", "\n")  # a line for each problem
    reason = "; ".join(filter(None, (fields.get("message", ""), why)))
    return f"{reason} ({changed})" if reason and changed else reason or changed


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else text
