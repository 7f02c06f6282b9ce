"""`confbus diff`: what changed between two versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.cli import differences, outcome
from confbus_publisher.cli.offers import versions
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import counted, present, say

if TYPE_CHECKING:
    from confbus.wire.release import Release
    from confbus_publisher.ledger import Ledger
    from confbus_publisher.opening import Named


@subcommand("diff", example="confbus diff 41 42", keys="from, to, changes [{path, change, old, new}]")
@with_place
@click.argument("before", metavar="[A]", type=int, required=False, shell_complete=versions)
@click.argument("after", metavar="[B]", type=int, required=False, shell_complete=versions)
@with_output
def command(named: Named, output: str, before: int | None, after: int | None) -> int:
    """Show what changed between two versions, leaf by leaf.

    From A to B; without B, to the head; without A, too, from the version that the head replaced. The exit code is 2
    when they differ. Values that look like secrets are shown as ***, and of a sealed section only that it changed,
    which is so with a new key, too.
    """
    from confbus_publisher.audit.contents import Step
    from confbus_publisher.cli.content import release_of
    from confbus_publisher.opening import site_of

    with site_of(named).ledger() as ledger:
        new = release_of(ledger, after)
        old = _replaced(ledger, new) if before is None else release_of(ledger, before)
        blobs = {**ledger.blobs(old.manifest), **ledger.blobs(new.manifest)}
    step = Step.between(old.manifest, old.manifest.changes_to(new.manifest), blobs)
    facts: dict[str, Any] = {"from": old.version, "to": new.version, "changes": differences.step_facts(step)}
    present(output, facts, differences.step_lines(step))
    if output == "text":
        say(f"{counted(len(facts['changes']), 'change')} from version {old.version} to {new.version}.")
    return outcome.DIFFERENT if facts["changes"] else outcome.DONE


def _replaced(ledger: Ledger, release: Release) -> Release:
    """The release that `release` replaced. Raises `NoRelease`."""
    from confbus.errors import NoRelease

    if not release.parent:
        raise NoRelease(f"Version {release.version} replaced none", advice="`confbus get` prints what is in it.")
    return ledger.release(release.parent)
