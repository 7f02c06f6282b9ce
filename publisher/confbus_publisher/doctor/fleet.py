"""Whether the workers run what is published."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from confbus_publisher.doctor.finding import Finding, Trouble, fine
from confbus_publisher.survey import SILENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confbus_publisher.doctor.namespace_facts import HeadFacts, NamespaceFacts
    from confbus_publisher.fleet import Report
    from confbus_publisher.survey import Survey

VETOING = Trouble("fleet", "error", "workers-vetoing", "They refuse what is published and run an older version.")
BACK = Trouble("fleet", "error", "workers-ahead", "They have seen what is not there any more, and keep it.")
OUTDATED = Trouble("fleet", "error", "workers-outdated", "What is published is newer than they can read.")
BEHIND = Trouble("fleet", "error", "workers-behind", "They run another version than the one published a while ago.")
SILENT_ONES = Trouble("fleet", "warning", "workers-silent", "They ended without a word, hang, or have lost the server.")
ADRIFT = Trouble("fleet", "warning", "workers-adrift", "They run what they have, and would not hear of a release.")
LOCKED = Trouble("fleet", "warning", "workers-locked", "A read of these sections raises an error there.")
TROUBLED = Trouble("fleet", "warning", "workers-troubled", "They follow, but something went wrong beside that.")
MIXED = Trouble("fleet", "warning", "mixed-protocols", "What the newer ones can read, the older ones may not.")
VERSIONS = Trouble(
    "fleet", "warning", "mixed-versions", "In an upgrade it is so; when it stays, some were left behind."
)
_PATIENCE_MS = 60_000
_BY_STATE = {
    "vetoing": (VETOING, "Their error says why: mend the value, or `confbus rollback`."),
    "regressed": (BACK, "`confbus adopt-head` makes them follow what is there, if nobody restores what they have."),
    "lost": (BACK, "Start the publisher that published last: it knows what was there."),
    "outdated": (OUTDATED, "Upgrade confbus there."),
    "reconnecting": (ADRIFT, "See whether they reach the server, and with which login."),
    "cached": (ADRIFT, "See whether they reach the server, and with which login."),
    "waiting": (ADRIFT, "They have nothing to read yet: see their error."),
    SILENT: (SILENT_ONES, "Look at these processes; who is gone for long, an active publisher forgets."),
}
_MOST = 3


def workers(facts: NamespaceFacts) -> Iterator[Finding]:
    """Every instance that reports, by what is wrong with it."""
    seen = facts.seen
    if seen is None:
        return
    troubles = [*_states(seen), *_behind(seen, facts.head), *_locked(seen), *_troubled(seen), *_mixed(seen)]
    yield from troubles
    live = sum(map(seen.is_live, seen.instances))
    if not seen.instances:
        yield fine("fleet", "no worker reports here")
    elif not troubles:
        yield fine("fleet", f"{live} {'worker follows' if live == 1 else 'workers follow'}")


def _states(seen: Survey) -> Iterator[Finding]:
    for state, (trouble, advice) in _BY_STATE.items():
        some = [report for report in seen.instances if seen.state(report) == state]
        if some:
            yield trouble.found(f"{state}: {_named(some, lambda report: report.error)}", advice)


def _behind(seen: Survey, head: HeadFacts | None) -> Iterator[Finding]:
    """Live workers elsewhere, though they had the time to follow."""
    if head is None or seen.now_ms - head.at_ms < _PATIENCE_MS:
        return
    some = [
        report
        for report in seen.instances
        if seen.state(report) == "live" and (report.running is None or report.running.version != head.version)
    ]
    if some:
        advice = "Their logs say what keeps them; is it another server or database of that name?"
        what = f"not at version {head.version}: {_named(some, _version)}"
        yield BEHIND.found(what, advice)


def _locked(seen: Survey) -> Iterator[Finding]:
    some = [report for report in seen.instances if report.locked and seen.is_live(report)]
    if some:
        advice = "Bring them the key with open_keys=, unless they are not to read that."
        yield LOCKED.found(f"without a key: {_named(some, lambda report: ', '.join(report.locked))}", advice)


def _troubled(seen: Survey) -> Iterator[Finding]:
    some = [report for report in seen.instances if report.error and seen.state(report) == "live"]
    if some:
        advice = "Do what the error asks for; a fallback file needs a directory that the process may write."
        yield TROUBLED.found(_named(some, lambda report: report.error), advice)


def _mixed(seen: Survey) -> Iterator[Finding]:
    live = [report for report in (*seen.instances, *seen.publishers) if seen.is_live(report)]
    protocols = sorted({report.protocol for report in live})
    if len(protocols) > 1:
        advice = "Upgrade the workers first, then the publishers."
        yield MIXED.found(f"protocols {', '.join(map(str, protocols))} are in use at once", advice)
    programs = Counter(report.program for report in live if report.program)
    if len(programs) > 1:
        rarest = programs.most_common()[-1][0]
        some = [report for report in live if report.program == rarest]
        what = f"{', '.join(f'{count} of {program}' for program, count in programs.most_common(_MOST))}"
        yield VERSIONS.found(f"{what}: {_named(some, lambda report: report.program)}", "Upgrade those that are behind.")


def _version(report: Report) -> str:
    return f"version {report.running.version}" if report.running else "none"


def _named(some: list[Report], note: Callable[[Report], str]) -> str:
    shown = [f"{report.instance}{f' ({text})' if (text := note(report)) else ''}" for report in some[:_MOST]]
    return ", ".join(shown) + (f" and {len(some) - _MOST} more" if len(some) > _MOST else "")
