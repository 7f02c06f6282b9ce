"""`confbus doctor`: everything that is wrong where this runs, with why it matters and what to do."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

import click

from confbus.names import plain
from confbus_publisher.access.rights import ROLES
from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import counted, present, say, width

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confbus_publisher.access.rights import Role
    from confbus_publisher.doctor.examination import Examination
    from confbus_publisher.doctor.finding import Finding, Level
    from confbus_publisher.opening import Named

_MARKS: dict[Level, tuple[str, str, str]] = {
    "fine": ("✔", "fine", "green"),
    "unseen": ("?", "unseen", "cyan"),
    "warning": ("!", "warning", "yellow"),
    "error": ("✘", "error", "red"),
}


@subcommand(
    "doctor",
    example="confbus doctor -c confbus.yaml",
    keys="namespace, url, is_healthy, counts {level: count}, findings [{area, level, name, what, why, advice}]",
)
@with_place
@click.option("--role", type=click.Choice(ROLES), help="Whose rights the login needs; else see above.")
@click.option("--fallback", metavar="FILE", help="Where workers here keep their last known good: fallback=.")
@click.option("--strict", "is_strict", is_flag=True, help="Fail for warnings, too.")
@with_output
def command(named: Named, output: str, role: Role | None, fallback: str | None, *, is_strict: bool) -> int:
    """Look for all that is wrong here, from sources to fleet.

    That is sources, machine, server, login, namespace and fleet. Tells of each trouble what it is, why it matters, and
    what to do. Nothing is changed; what a server refuses to tell, as many managed ones do, is no failure. Without a
    server, the rest is looked at all the same.

    With the URL of the settings a publisher's rights are needed, with another one those of any role.

    Ends with 1 when something is broken. Warnings are no reason to fail, but with --strict.
    """
    from confbus_publisher.doctor.examination import examine

    seen = examine(named, role=role, fallback=fallback)
    counts: Counter[Level] = Counter(finding.level for finding in seen.findings)
    is_healthy = not counts["error"] and not (is_strict and counts["warning"])
    facts = {
        "namespace": seen.namespace,
        "url": seen.where,
        "is_healthy": is_healthy,
        "counts": {level: counts[level] for level in _MARKS},
        "findings": [finding.fact() for finding in seen.findings],
    }
    present(output, facts, _lines(seen))
    if output == "text":
        say(_summary(counts))
    return outcome.DONE if is_healthy else outcome.FAILED


def _lines(seen: Examination) -> Iterator[str]:
    """The findings below the name of their area."""
    place = f" at {seen.where}" if seen.where else ""
    yield f"{click.style(seen.namespace or 'an unknown namespace', bold=True)}{place}"
    for area, findings in groupby(seen.findings, key=lambda finding: finding.area):
        yield ""
        yield click.style(area, bold=True)
        for finding in findings:
            yield from _told(finding)


def _told(finding: Finding) -> Iterator[str]:
    mark, word, colour = _MARKS[finding.level]
    sign = mark if _has_marks() else word.ljust(max(len(word) for _, word, _ in _MARKS.values()))
    margin = " " * (len(sign) + 3)
    first, *rest = _wrapped(finding.what, margin)
    yield f"  {click.style(sign, fg=colour)} {first.strip()}"
    yield from rest
    if finding.why:
        yield from (click.style(line, dim=True) for line in _wrapped(finding.why, margin + "  "))
    if finding.advice:
        yield from _wrapped(f"{'→' if _has_marks() else '->'} {finding.advice}", margin + "  ")


def _wrapped(text: str, margin: str) -> list[str]:
    room = width() or 1000
    return textwrap.wrap(plain(text), room, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)


def _has_marks() -> bool:
    """Whether somebody sees them, in a terminal that can show them."""
    try:
        "".join(mark for mark, _, _ in _MARKS.values()).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return sys.stdout.isatty()


def _summary(counts: Mapping[Level, int]) -> str:
    found = [counted(counts[level], level) for level in ("error", "warning") if counts[level]]
    unseen = f"; {counts['unseen']} could not be looked at" if counts["unseen"] else ""
    return f"{', '.join(found) or 'Healthy'}{unseen}."
