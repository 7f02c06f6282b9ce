"""`confbus fleet`: every instance, and where it stands."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from confbus.names import plain
from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import counted, present, say, table, width
from confbus_publisher.moments import age

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.fleet import Report
    from confbus_publisher.opening import Named
    from confbus_publisher.survey import Survey

_HEADS = ["INSTANCE", "STATE", "VERSION", "AGE"]


@subcommand(
    "fleet",
    example="confbus fleet --output json",
    keys="instances [{instance, state, version, age_s, error, labels, overlay, locked}], states {state: count}",
)
@with_place
@with_output
def command(named: Named, output: str) -> int:
    """List the instances of the fleet, and where each stands.

    VERSION is what an instance runs, AGE how old its report is; one that missed three reports is "silent".
    """
    from confbus_publisher.opening import site_of
    from confbus_publisher.survey import survey

    with site_of(named).ledger() as ledger:
        seen = survey(ledger.store)
    facts = {"instances": [_fact(report, seen) for report in seen.instances], "states": seen.states()}
    present(output, facts, _lines(seen))
    if output == "text":
        say(f"{summary(seen)}.")
    return outcome.DONE


def summary(seen: Survey) -> str:
    """How many instances there are in each state."""
    if not seen.instances:
        return "no instance reports"
    states = ", ".join(f"{count} {state}" for state, count in seen.states().items())
    return f"{counted(len(seen.instances), 'instance')}: {states}"


def _fact(report: Report, seen: Survey) -> dict[str, Any]:
    return {
        "instance": report.instance,
        "state": seen.state(report),
        "version": report.running.version if report.running else None,
        "age_s": max(0, seen.now_ms - report.at_ms) / 1000,
        "error": report.error,
        "labels": dict(report.labels),
        "overlay": list(report.overlay),
        "locked": list(report.locked),
    }


def _lines(seen: Survey) -> Iterator[str]:
    """A row for each instance, and below it what went wrong there last, and what it reads otherwise than all others."""
    if not seen.instances:
        return
    head, *rows = table(
        [_HEADS, *(_row(report, seen) for report in seen.instances)],
        right=["VERSION", "AGE"],
        whole=["STATE"],
        tails=["INSTANCE"],
    )
    yield head
    for report, row in zip(seen.instances, rows, strict=True):
        yield row
        notes = [report.error, f"overlays {', '.join(report.overlay)}" if report.overlay else ""]
        notes.append(f"has no key for {', '.join(report.locked)}" if report.locked else "")
        for note in filter(None, notes):
            yield from textwrap.wrap(plain(note), width() or 1000, initial_indent="  ", subsequent_indent="  ")


def _row(report: Report, seen: Survey) -> list[str]:
    version = str(report.running.version) if report.running else "-"
    return [report.instance, seen.state(report), version, age(report.at_ms, seen.now_ms)]
