"""`confbus resume`: let what is held go out again, be it in quarantine or held by somebody."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from confbus.errors import ConfBusError
from confbus_publisher.cli import outcome
from confbus_publisher.cli.offers import stopped
from confbus_publisher.cli.options import subcommand, with_author, with_message, with_output, with_place, with_wait
from confbus_publisher.cli.output import present, say, sections_text, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus_publisher.cli.quarantine import Quarantine
    from confbus_publisher.cli.wait import Wait
    from confbus_publisher.holds.hold import Hold
    from confbus_publisher.ledger import Ledger, Why
    from confbus_publisher.opening import Named


@subcommand(
    "resume",
    example="confbus resume database",
    keys="resumed [{section, digest, why}], lifted [{section, by, reason, at, until}], version, fleet",
)
@with_place
@click.argument("sections", metavar="[SECTION]...", nargs=-1, shell_complete=stopped)
@with_message
@with_author
@with_wait
@with_output
def command(named: Named, output: str, sections: tuple[str, ...], message: str, author: str, wait: Wait) -> int:
    """Let go out again what was rolled back, or is held.

    That is SECTIONs, or all there is. The active publisher then puts out what its sources say, whatever it is. With
    --wait it ends when the fleet has applied that; exit code 4 when it does not in time, or nobody puts anything out.
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
        facts = lifted.facts()
        if wait.timeout_s is None:
            present(output, facts, sentence(lifted.text()))
            return outcome.DONE
        # Until somebody has published, the head says that the next merge shall go out whatever it is.
        since_ms, patience_s = ledger.store.time_ms(), wait.timeout_s
        found = arrival.wait(ledger, lambda state: bool(state.head.merged), since_ms=since_ms, patience_s=patience_s)
        before = before if found.version else None
        wait.present(output, facts | found.facts(), lifted.text(), ledger=ledger, before=before, since=began)
    if output == "text" and not found.version:
        say(found.reason())
    return found.exit_code(must_arrive=True)


@dataclass(frozen=True, slots=True)
class _Lifted:
    """What may go out again: content that was rolled back, and sections that somebody held."""

    contents: Sequence[Quarantine]
    holds: Sequence[Hold]

    @property
    def sections(self) -> list[str]:
        return sorted({content.section for content in self.contents} | {hold.section for hold in self.holds})

    def only(self, sections: Sequence[str]) -> _Lifted:
        """Those of `sections`, or all. Raises `ConfBusError` for one that is not held."""
        unknown = [section for section in sections if section not in self.sections]
        if unknown:
            advice = f"Held are: {', '.join(self.sections)}." if self.sections else "Nothing is held."
            raise ConfBusError(f"Not held: {', '.join(unknown)}.", advice=advice)
        if not sections:
            return self
        contents = [content for content in self.contents if content.section in sections]
        return _Lifted(contents, [hold for hold in self.holds if hold.section in sections])

    def facts(self) -> dict[str, Any]:
        from confbus_publisher.cli.hold import fact

        return {"resumed": [each.fact() for each in self.contents], "lifted": [fact(hold) for hold in self.holds]}

    def text(self) -> str:
        names = self.sections
        return f"No longer held: {sections_text(names, most=20)}." if names else "Nothing is held."


def _lifted(ledger: Ledger, sections: Sequence[str], why: Why) -> _Lifted:
    from confbus_publisher.cli.quarantine import parse_quarantine
    from confbus_publisher.holds.hold import lift, parse_all

    state = ledger.refresh()
    contents = parse_quarantine(state.quarantine) if state else []
    lifted = _Lifted(contents, parse_all(ledger.store.holds().texts)).only(sections)
    if lifted.contents:
        ledger.resume([content.pair for content in lifted.contents], why)
    for hold in lifted.holds:
        lift(ledger.store, hold.section, by=why.author, reason=why.message)
    return lifted
