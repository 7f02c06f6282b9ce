"""`confbus hold`: let no publisher change a section by itself, for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.cli import offers, outcome
from confbus_publisher.cli.options import subcommand, with_author, with_message, with_output, with_place
from confbus_publisher.cli.output import present, say, sentence

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from confbus_publisher.holds.hold import Hold
    from confbus_publisher.ledger import Ledger
    from confbus_publisher.opening import Named


@subcommand(
    "hold",
    example="confbus hold database -m 'the migration' --until 2h",
    keys="held [{section, by, reason, at, until}]",
)
@with_place
@click.argument("sections", metavar="[SECTION]...", nargs=-1, shell_complete=offers.sections)
@click.option("--until", metavar="WHEN", help="End it by itself: after 2h, or at 2030-01-31T18:00:00Z.")
@with_message
@with_author
@with_output
def command(named: Named, output: str, sections: tuple[str, ...], until: str | None, message: str, author: str) -> int:
    """Let no publisher change SECTIONs, or anything, by itself.

    A reason is needed (-m). The active publisher says what it keeps back; once the hold is lifted by `confbus resume`,
    or ended, it puts that out. `confbus publish --force` goes through, and a rollback does. A section that is not there
    yet can be held as well.
    """
    from confbus_publisher.holds import hold as holds
    from confbus_publisher.ledger import Why
    from confbus_publisher.opening import site_of
    from confbus_publisher.refusals import recorded

    with site_of(named).ledger() as ledger:
        until_ms = None if until is None else _until_ms(until, ledger.store.time_ms())
        with recorded(ledger, Why(author, message, "hold")):
            wanted = sections or (holds.ALL,)
            for section in wanted:  # all of them first: none is held when one is refused
                holds.refuse_no_section(section)
            held = [
                holds.put(ledger.store, section, by=author, reason=message, until_ms=until_ms) for section in wanted
            ]
        running = _running(ledger)
    present(output, {"held": [fact(hold) for hold in held]}, [line for hold in held for line in sentence(f"{hold}.")])
    _warn_of_unknown(named, {section for section in wanted if section not in {holds.ALL, "."}}, running)
    return outcome.DONE


def fact(hold: Hold) -> dict[str, str | None]:
    """A hold for programs."""
    from confbus_publisher.moments import iso

    until = iso(hold.until_ms) if hold.until_ms else None
    return {"section": hold.section, "by": hold.by, "reason": hold.reason, "at": iso(hold.at_ms), "until": until}


def _until_ms(text: str, now_ms: int) -> int:
    from confbus_publisher.moments import parse_future

    found = parse_future(text, now_ms)
    if found is None:
        advice = "--until takes a duration such as 2h, or a time such as 2030-01-31T18:00:00Z."
        raise click.UsageError(advice, click.get_current_context())
    return found


def _warn_of_unknown(named: Named, sections: Collection[str], running: Collection[str]) -> None:
    """Tell of names that neither the head nor the sources, as far as they are here, have: they may be written wrong."""
    import difflib

    unknown = [section for section in sections if section not in running]
    if not unknown:
        return
    tree = _tree(named)
    where = "in the head" if tree is None else "in the head or the sources"
    known = {*running, *(name for name, value in (tree or {}).items() if isinstance(value, dict))}
    for section in sorted(set(unknown) - known):
        close = difflib.get_close_matches(section, known, n=1, cutoff=0.6)
        hint = f"; did you mean {close[0]}?" if close else "."
        if section in (tree or {}):
            hint = ": it is no mapping, and part of the section . like all such values."
        say(f"{section} is no section {where}{hint} It is held all the same.")


def _running(ledger: Ledger) -> set[str]:
    """The sections of the head, whole ones."""
    from confbus.errors import Malformed, NoRelease
    from confbus.wire.sections import name_of, path_of

    try:
        state = ledger.refresh()
    except (Malformed, NoRelease):  # a damaged head keeps nobody from holding
        return set()
    return {name_of(path_of(name)[:1]) for name in state.release.manifest} if state else set()


def _tree(named: Named) -> Mapping[str, Any] | None:
    """What the sources say, by name of the section; None where they are not here, or cannot be read."""
    from confbus.errors import ConfBusError
    from confbus.wire.sections import name_of
    from confbus_publisher.opening import inputs_of, settings_of

    if not named.has_settings:
        return None
    try:
        tree = inputs_of(settings_of(named), is_dry=True).load().merged.tree
    except ConfBusError:
        return None
    return {name_of((key,)): value for key, value in tree.items()}
