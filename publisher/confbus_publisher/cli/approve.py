"""`confbus approve`: let one document pass a gate, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_author, with_output, with_place
from confbus_publisher.cli.output import present

if TYPE_CHECKING:
    from confbus_publisher.opening import Named

_EXAMPLE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@subcommand("approve", example=f"confbus approve {_EXAMPLE} -m 'we drop the old tenants'", keys="digest, by, reason")
@with_place
@click.argument("digest")
@click.option("-m", "--message", required=True, metavar="TEXT", help="Why, for the log.")
@with_author
@with_output
def command(named: Named, output: str, digest: str, message: str, author: str) -> int:
    """Let the document with this digest past a gate, once.

    The release with that digest takes the approval away. Every other check still counts.
    """
    from confbus_publisher.ledger import Why
    from confbus_publisher.opening import site_of
    from confbus_publisher.overrides import amending
    from confbus_publisher.refusals import recorded

    with site_of(named).ledger() as ledger, recorded(ledger, Why(author, message, "approve")):
        approval = amending.approve(ledger.store, digest, by=author, reason=message)
    facts = {"digest": approval.digest, "by": approval.by, "reason": approval.reason}
    present(output, facts, [f"Approved {approval.digest[:12]} for one release."])
    return outcome.DONE
