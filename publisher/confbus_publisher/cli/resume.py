"""`confbus resume`: let content that was rolled back go out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from confbus.errors import ConfBusError
from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_message, with_output, with_place
from confbus_publisher.cli.output import present, sections_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus_publisher.cli.holds import Hold
    from confbus_publisher.opening import Named


@subcommand("resume", example="confbus resume database", keys="resumed [{section, digest, why}]")
@with_place
@click.argument("sections", metavar="[SECTION]...", nargs=-1)
@with_message
@with_output
def command(named: Named, output: str, sections: tuple[str, ...], message: str) -> int:
    """Lift the hold of SECTIONs that were rolled back, or of all.

    The active publisher then puts out what its sources say, whatever it is.
    """
    from confbus_publisher.cli.content import head_state
    from confbus_publisher.cli.holds import holds
    from confbus_publisher.ledger import Why
    from confbus_publisher.opening import author, site_of

    with site_of(named).ledger() as ledger:
        held = holds(head_state(ledger).quarantine)
        _refuse_unknown(sections, held)
        lifted = [hold for hold in held if not sections or hold.section in sections]
        if lifted:
            ledger.resume([hold.pair for hold in lifted], Why(author(), message, "resume"))
    names = sorted({hold.section for hold in lifted})
    text = f"No longer held: {sections_text(names, most=20)}." if names else "Nothing is held."
    present(output, {"resumed": [hold.fact() for hold in lifted]}, [text])
    return outcome.DONE


def _refuse_unknown(sections: Sequence[str], held: Sequence[Hold]) -> None:
    known = sorted({hold.section for hold in held})
    unknown = [section for section in sections if section not in known]
    if unknown:
        advice = f"Held are: {', '.join(known)}." if known else "Nothing is held."
        raise ConfBusError(f"Not held: {', '.join(unknown)}.", advice=advice)
