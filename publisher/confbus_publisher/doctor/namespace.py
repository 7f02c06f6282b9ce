"""Whether what is published is whole, and comes from a publisher that is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher import standing
from confbus_publisher.doctor.finding import Finding, Trouble, fine, unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.doctor.namespace_facts import NamespaceFacts
    from confbus_publisher.survey import Survey

NOTHING = Trouble("namespace", "warning", "nothing-published", "A worker that starts here waits in vain.")
DAMAGED = Trouble(
    "namespace",
    "error",
    "head-damaged",
    "Workers that run keep what they have; those that start get nothing.",
)
BROKEN = Trouble("namespace", "warning", "history-damaged", "No rollback leads to these versions.")
NOBODY = Trouble("namespace", "warning", "no-publisher", "What is edited does not go out, and no loss is undone.")
STUCK = Trouble("namespace", "error", "publisher-stuck", "What is edited does not go out until this is mended.")
KEEPING = Trouble("namespace", "warning", "publisher-holds", "The fleet runs something else than the sources say.")
FAILING = Trouble(
    "namespace",
    "warning",
    "publisher-troubled",
    "Not all goes out that should: a source keeps its last good values, or an override, a hold or a probe fails.",
)
_STUCK = {standing.REFUSED, standing.LOST, standing.UNREACHABLE}
_FINE = {"in step", standing.STARTING, standing.STANDBY}


def releases(facts: NamespaceFacts) -> Iterator[Finding]:
    """The head, and what may be rolled back to."""
    for damage in facts.damages:
        advice = "A publisher that knows the last state restores it: `confbus run` where the sources are."
        yield DAMAGED.found(damage, advice)
    if facts.is_empty:
        yield NOTHING.found("nothing is published in this namespace", "`confbus run`, or `confbus publish` once.")
    if facts.head:
        size = f"{facts.head.size:,} bytes"
        yield fine("namespace", f"the head is version {facts.head.version}, whole, {size}")
    if facts.broken:
        what = f"content is gone of {_versions(facts.broken)}"
        yield BROKEN.found(what, "`confbus import` brings a backup into an empty namespace.")
    for what, reason in facts.refusals.items():
        yield unseen("namespace", what, reason)


def publishers(facts: NamespaceFacts) -> Iterator[Finding]:
    """Who is active, and whether it can work."""
    seen = facts.seen
    if seen is None:
        return
    if not seen.holder:
        advice = "Start `confbus run`, unless you publish from a pipeline alone."
        yield NOBODY.found("no publisher is active", advice)
        return
    yield from _active(seen)


def _active(seen: Survey) -> Iterator[Finding]:
    report = seen.active
    if report is None:
        yield fine("namespace", f"{seen.holder} is active")
        return
    what = f"{report.instance} is {report.state}{f': {report.error}' if report.error else ''}"
    if report.state in _STUCK:
        yield STUCK.found(what, "Its log has the whole of it.")
    elif report.state not in _FINE:
        yield KEEPING.found(what, "`confbus status` says what waits; `confbus plan` what would change.")
    elif report.failing:
        yield FAILING.found(what, "`confbus check` where the sources are finds what is wrong.")
    else:
        yield fine("namespace", f"{what}; {len(seen.standby)} stand by")


def _versions(versions: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, versions[:5]))
    more = f" and {len(versions) - 5} more" if len(versions) > 5 else ""
    return f"version{'s' if len(versions) > 1 else ''} {shown}{more}"
