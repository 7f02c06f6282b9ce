"""`confbus resume`: let content that was rolled back go out again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from confbus.errors import ConfBusError
from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_author, with_message, with_output, with_place, with_wait
from confbus_publisher.cli.output import present, say, sections_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus_publisher.cli.holds import Hold
    from confbus_publisher.cli.wait import Wait
    from confbus_publisher.ledger import Ledger, Why
    from confbus_publisher.opening import Named


@subcommand("resume", example="confbus resume database", keys="resumed [{section, digest, why}], version, fleet")
@with_place
@click.argument("sections", metavar="[SECTION]...", nargs=-1)
@with_message
@with_author
@with_wait
@with_output
def command(named: Named, output: str, sections: tuple[str, ...], message: str, author: str, wait: Wait) -> int:
    """Lift the hold of SECTIONs that were rolled back, or of all.

    The active publisher then puts out what its sources say, whatever it is. With --wait it ends when the fleet has
    applied that; exit code 4 when it does not in time, or nobody puts anything out.
    """
    from confbus_publisher.cli import arrival
    from confbus_publisher.ledger import Why
    from confbus_publisher.opening import site_of
    from confbus_publisher.refusals import recorded

    why = Why(author, message, "resume")
    began = time.monotonic()
    with site_of(named).ledger() as ledger:
        before = wait.survey(ledger)
        with recorded(ledger, why):
            lifted = _lifted(ledger, sections, why)
        facts: dict[str, Any] = {"resumed": [hold.fact() for hold in lifted]}
        if wait.timeout_s is None:
            present(output, facts, [_text(lifted)])
            return outcome.DONE
        # Until somebody has published, the head says that the next merge shall go out whatever it is.
        since_ms, patience_s = ledger.store.time_ms(), wait.timeout_s
        found = arrival.wait(ledger, lambda state: bool(state.head.merged), since_ms=since_ms, patience_s=patience_s)
        before = before if found.version else None
        wait.present(output, facts | found.facts(), [_text(lifted)], ledger=ledger, before=before, since=began)
    if output == "text" and not found.version:
        say(found.reason())
    return found.exit_code(must_arrive=True)


def _lifted(ledger: Ledger, sections: Sequence[str], why: Why) -> list[Hold]:
    from confbus_publisher.cli.content import head_state
    from confbus_publisher.cli.holds import holds

    held = holds(head_state(ledger).quarantine)
    _refuse_unknown(sections, held)
    lifted = [hold for hold in held if not sections or hold.section in sections]
    if lifted:
        ledger.resume([hold.pair for hold in lifted], why)
    return lifted


def _text(lifted: Sequence[Hold]) -> str:
    names = sorted({hold.section for hold in lifted})
    return f"No longer held: {sections_text(names, most=20)}." if names else "Nothing is held."


def _refuse_unknown(sections: Sequence[str], held: Sequence[Hold]) -> None:
    known = sorted({hold.section for hold in held})
    unknown = [section for section in sections if section not in known]
    if unknown:
        advice = f"Held are: {', '.join(known)}." if known else "Nothing is held."
        raise ConfBusError(f"Not held: {', '.join(unknown)}.", advice=advice)
