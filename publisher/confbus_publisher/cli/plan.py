"""`confbus plan`: what a publish would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus_publisher.cli import differences, outcome
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import counted, say, sections_text, show, show_json
from confbus_publisher.cli.publishers import active_fact, active_text
from confbus_publisher.cli.sources import merged

if TYPE_CHECKING:
    from confbus.wire.diff import Change
    from confbus_publisher.inputs import Merge
    from confbus_publisher.ledger import State
    from confbus_publisher.opening import Named
    from confbus_publisher.survey import Survey


@subcommand(
    "plan",
    example="confbus plan || echo 'there is something to publish'",
    keys="version, changes [{path, change, old, new, origin}], held [section], active {instance, state, why}",
)
@with_place
@with_output
def command(named: Named, output: str) -> int:
    """Show what a publish would change, leaf by leaf.

    Compares what the sources and the overrides say now with the head, and tells what would keep a publisher from it.
    Leaves with 2 when they differ. Values that look like secrets are shown as ***.
    """
    from confbus.wire.diff import diff
    from confbus.wire.frozen import Frozen
    from confbus_publisher.cli.content import document
    from confbus_publisher.cli.overrides import on_top
    from confbus_publisher.opening import inputs_of, published_site, settings_of
    from confbus_publisher.survey import survey

    settings = settings_of(named)
    with published_site(settings).ledger() as ledger:
        merge = merged(inputs_of(settings), on_top(ledger.store))
        state = ledger.refresh()
        there = document(ledger, state.release) if state else Frozen()
        seen = survey(ledger.store)
    changes = diff(there, merge.tree)
    held = _held(merge, state)
    if output == "json":
        show_json(_facts(changes, merge, state, held=held, seen=seen))
    else:
        show(differences.lines(changes, origin=lambda change: merge.merged.origins.get(change.parts)))
        _tell(changes, state, held=held, seen=seen)
    return outcome.DIFFERENT if changes else outcome.DONE


def _held(merge: Merge, state: State | None) -> dict[str, str]:
    """The sections that were rolled back and still have that content, each with why."""
    from confbus_publisher.decision import held_pairs

    if state is None:
        return {}
    held = held_pairs(merge.manifest, state.quarantine, aliases=merge.aliases, running=state.release.manifest)
    return {section: state.quarantine[pairs[0]] for section, pairs in held.items()}


def _facts(
    changes: list[Change], merge: Merge, state: State | None, *, held: dict[str, str], seen: Survey
) -> dict[str, Any]:
    return {
        "version": state.head.version if state else None,
        "changes": [
            {**differences.fact(change), "origin": str(merge.merged.origins.get(change.parts, "")) or None}
            for change in changes
        ],
        "held": list(held),
        "active": active_fact(seen),
    }


def _tell(changes: list[Change], state: State | None, *, held: dict[str, str], seen: Survey) -> None:
    base = f"version {state.head.version}" if state else "nothing: this namespace is empty"
    say(f"{counted(len(changes), 'change')} from {base}." if changes else f"The sources say what {base} says.")
    for section, why in held.items():
        say(f"Held: {sections_text([section])}, {why}. Mend it, or lift it with `confbus resume {section}`.")
    if seen.holder:
        say(f"The active publisher is {active_text(seen)}.")
    elif changes:
        say("No publisher is active: `confbus publish` or `confbus run` puts this out.")
