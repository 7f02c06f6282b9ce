"""`confbus rollback`: put an earlier release in force again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.cli import outcome
from confbus_publisher.cli.offers import versions
from confbus_publisher.cli.options import subcommand, with_author, with_message, with_output, with_place, with_wait
from confbus_publisher.cli.output import say, sections_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.release import Release
    from confbus_publisher.cli.wait import Wait
    from confbus_publisher.ledger import Ledger, Why
    from confbus_publisher.opening import Named


@subcommand(
    "rollback", example='confbus rollback -m "too many connections"', keys="version, is_new, of, held [section], fleet"
)
@with_place
@click.option("--steps", type=click.IntRange(min=1), metavar="K", help="Back over K accepted contents (default 1).")
@click.option(
    "--to",
    "version",
    type=click.IntRange(min=1),
    metavar="V",
    help="To version V, whatever it was.",
    shell_complete=versions,
)
@with_message
@with_author
@with_wait
@with_output
def command(
    named: Named, output: str, message: str, author: str, steps: int | None, version: int | None, wait: Wait
) -> int:
    """Make a new version with the content of an earlier one.

    The sections that it undoes are held: no publisher puts that content out again by itself, until it is mended in
    its source or let out by `confbus resume`. A rollback after a rollback goes further back. With --wait it ends
    when the fleet has applied it; exit code 4 when it does not in time.
    """
    if steps is not None and version is not None:
        raise click.UsageError("--steps and --to exclude each other.", click.get_current_context())
    from confbus_publisher.cli import keyring
    from confbus_publisher.ledger import Why
    from confbus_publisher.opening import site_of
    from confbus_publisher.refusals import recorded

    why = Why(author, message, "rollback")
    with site_of(named).ledger() as ledger:
        before = wait.survey(ledger)
        with recorded(ledger, why):
            facts = _rolled_back(ledger, why, steps=steps or 1, version=version)
        keyring.tell_lacking(ledger)
        if output == "text" and facts["held"]:
            say(f"Held: {sections_text(facts['held'])}. Mend it in its source, or let it out with `confbus resume`.")
        wait.present(output, facts, _text(facts), ledger=ledger, before=before)
    return outcome.DONE


def _text(facts: Mapping[str, Any]) -> str:
    if not facts["is_new"]:
        return f"Nothing to do: version {facts['version']} has that content already."
    return f"Version {facts['version']} has the content of version {facts['of']}."


def _rolled_back(ledger: Ledger, why: Why, *, steps: int, version: int | None) -> dict[str, Any]:
    from confbus_publisher.cli.content import head_state
    from confbus_publisher.ledger.rollback import target

    state = head_state(ledger)
    bad = state.release
    good = target(state, ledger.history(), steps=steps) if version is None else ledger.release(version)
    is_new = good.content != bad.content
    release = ledger.rollback(good, why) if is_new else bad
    return {"version": release.version, "is_new": is_new, "of": release.of, "held": _undone(bad, release)}


def _undone(bad: Release, good: Release) -> list[str]:
    kept = good.manifest.sections
    return [section for section, digest in bad.manifest.sections.items() if kept.get(section) != digest]
