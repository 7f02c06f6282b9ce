"""`confbus adopt-head`: make a fleet follow a head that it takes for old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_author, with_message, with_output, with_place
from confbus_publisher.cli.output import counted, present, sentence

if TYPE_CHECKING:
    from confbus_publisher.opening import Named


@subcommand(
    "adopt-head", example='confbus adopt-head -m "restored the backup of Monday"', keys="version, of, epoch, stands"
)
@with_place
@with_message
@with_author
@with_output
def command(named: Named, output: str, message: str, author: str) -> int:
    """Make the fleet follow the head, although it runs a newer one.

    For after a restore of Redis from a backup, when the old configuration is wanted: instances keep the newer one
    until a head stands above what they report. So wait until `confbus fleet` lists them all; and stop the active
    publisher before, for it would restore the newer one.
    """
    from confbus_publisher import fleet
    from confbus_publisher.cli.content import head_state
    from confbus_publisher.ledger import Why
    from confbus_publisher.opening import site_of
    from confbus_publisher.refusals import recorded

    why = Why(author, message, "adopt")
    with site_of(named).ledger() as ledger, recorded(ledger, why):
        state = head_state(ledger)
        reports = fleet.parse_all(ledger.store.fleet())
        stands = [report.seen for report in reports if report.seen]
        release = ledger.anchor(state, why, stands=stands)
        epoch = head_state(ledger).head.epoch
    facts = {"version": release.version, "of": release.of, "epoch": epoch, "stands": len(stands)}
    content = f"version {release.version} with the content of version {release.of}"
    present(output, facts, sentence(f"The head is {content}, above what {counted(len(stands), 'instance')} said."))
    return outcome.DONE
