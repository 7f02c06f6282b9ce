"""`confbus status`: one namespace at a glance."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from confbus.names import plain
from confbus_publisher.cli import outcome
from confbus_publisher.cli.fleet import summary
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import listed, present, sections_text, width
from confbus_publisher.cli.publishers import active_fact, active_text, standby_facts, standby_texts
from confbus_publisher.moments import age

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confbus_publisher.cli.quarantine import Quarantine
    from confbus_publisher.ledger import Ledger, State
    from confbus_publisher.opening import Named
    from confbus_publisher.survey import Survey

_MARGIN = 12
_SHORT = 12


@subcommand(
    "status",
    example="confbus status --url redis://localhost:6379 -n checkout",
    keys="namespace, url, head {version, of, revision, epoch, digest, at, author, message, sealed {section: key}}, "
    "damage, "
    "active {instance, state, why}, standby [{instance, state, why}], warnings [text], "
    "quarantine [{section, digest, why}], guard {version, back, until, vetoes}, "
    "holds [{section, by, reason, at, until}], "
    "overrides [{path, value, until, has_ended, at, by, reason, problem}], approvals [{digest, at, by, reason}], "
    "fleet {states {state: count}, elsewhere [instance]}",
)
@with_place
@with_output
def command(named: Named, output: str) -> int:
    """Show the head, publishers, holds, overrides, and the fleet."""
    from confbus_publisher.cli.overrides import Amended
    from confbus_publisher.cli.quarantine import parse_quarantine
    from confbus_publisher.cli.stops import Stops
    from confbus_publisher.opening import site_of
    from confbus_publisher.survey import survey

    site = site_of(named)
    with site.ledger() as ledger:
        state, damage = _head(ledger)
        seen = survey(ledger.store)
        held = parse_quarantine(ledger.store.quarantine())
        amended, stops = Amended(ledger.store), Stops(ledger.store)
    facts = {"namespace": site.namespace, "url": site.where, "damage": damage, **_facts(state, seen, held)}
    facts |= {**amended.facts(), **stops.facts()}
    rows = [*stops.rows(), *amended.rows()]
    place = f"{click.style(site.namespace, bold=True)} at {site.where}"
    present(output, facts, [place, *_lines(state, damage, seen=seen, held=held, rows=rows)])
    return outcome.DONE


def _head(ledger: Ledger) -> tuple[State | None, str]:
    """The state of the head, or what keeps it from being read."""
    from confbus.errors import Malformed, NoRelease

    try:
        return ledger.refresh(), ""
    except (Malformed, NoRelease) as error:
        return None, str(error)


def _facts(state: State | None, seen: Survey, held: list[Quarantine]) -> dict[str, Any]:
    from confbus_publisher.head_facts import head_facts

    elsewhere = seen.elsewhere(state.head.version) if state else []
    return {
        "head": head_facts(state) if state else None,
        "active": active_fact(seen),
        "standby": standby_facts(seen),
        "warnings": list(seen.active.warnings) if seen.active else [],
        "quarantine": [content.fact() for content in held],
        "fleet": {"states": seen.states(), "elsewhere": elsewhere},
    }


def _lines(
    state: State | None, damage: str, *, seen: Survey, held: list[Quarantine], rows: Iterable[tuple[str, str]]
) -> Iterator[str]:
    yield from _row("head", _head_text(state, seen) if state else damage or "nothing is published yet")
    if state:
        head = state.head
        yield from _row("", f"revision {head.revision}, epoch {head.epoch}, digest {head.digest[:_SHORT]}")
        for key, names in _sealed(state).items():
            yield from _row("sealed", f"{listed(names)}, with the key {key}")
    yield from _row("publisher", active_text(seen))
    for number, text in enumerate(standby_texts(seen)):
        yield from _row("" if number else "standby", text)
    for number, warning in enumerate(seen.active.warnings if seen.active else ()):
        yield from _row("" if number else "warnings", warning)
    for number, content in enumerate(held):
        yield from _row("" if number else "quarantine", f"{sections_text([content.section])}: {content.why}")
    for name, text in rows:
        yield from _row(name, text)
    yield from _row("fleet", summary(seen))
    elsewhere = seen.elsewhere(state.head.version) if state else []
    if state and elsewhere:
        yield from _row("", f"not at version {state.head.version}: {listed(elsewhere)}; `confbus fleet` says why")


def _sealed(state: State) -> dict[str, list[str]]:
    """The sealed sections of the head, by the key that they need."""
    found: dict[str, list[str]] = {}
    for name, key in _keys(state).items():
        found.setdefault(key, []).append(name)
    return found


def _keys(state: State) -> dict[str, str]:
    from confbus_publisher.sealing.resealing import keys_of

    return keys_of(state.release.manifest, state.blobs)


def _head_text(state: State, seen: Survey) -> str:
    release = state.release
    same = f" = v{release.of}" if release.of != release.version else ""
    when = f"{age(release.at_ms, seen.now_ms)} ago"
    message = f": {release.message}" if release.message else ""
    return f"version {release.version}{same}, {when}, {release.author}{message}"


def _row(name: str, text: str) -> list[str]:
    """A name in the margin, and what there is to say beside it."""
    room = max((width() or 1000) - _MARGIN, _MARGIN)
    lines = textwrap.wrap(plain(text), room, break_on_hyphens=False) or [""]
    margins = [click.style(name.ljust(_MARGIN), dim=True), *[" " * _MARGIN] * (len(lines) - 1)]
    return [margin + line for margin, line in zip(margins, lines, strict=True)]
