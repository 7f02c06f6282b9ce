"""`confbus plan`: what a publish would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.names import plain
from confbus_publisher.cli import differences, outcome
from confbus_publisher.cli.hold import fact
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import counted, say, sections_text, show, show_json
from confbus_publisher.cli.publishers import active_fact, active_text
from confbus_publisher.cli.sources import merged

if TYPE_CHECKING:
    from confbus_publisher.audit.contents import Step
    from confbus_publisher.holds.hold import Hold
    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.ledger import Holds, Ledger, State
    from confbus_publisher.opening import Named
    from confbus_publisher.survey import Survey


@subcommand(
    "plan",
    example="confbus plan || echo 'there is something to publish'",
    keys="version, changes [{path, change, old, new, origin}], held [section], "
    "refused [problem], holds [{section, by, reason, at, until}], active {instance, state, why}",
)
@with_place
@with_output
def command(named: Named, output: str) -> int:
    """Show what a publish would change, leaf by leaf.

    Compares what the sources and the overrides say now with the head, and tells what would keep a publisher from it.
    The exit code is 2 when they differ. Values that look like secrets are shown as ***, and of a sealed section only
    that it changed.
    """
    from confbus_publisher.cli.overrides import on_top
    from confbus_publisher.opening import inputs_of, published_site, settings_of
    from confbus_publisher.survey import survey

    settings = settings_of(named)
    inputs = inputs_of(settings)
    with published_site(settings).ledger() as ledger:
        merge = merged(inputs, on_top(ledger.store))
        state = ledger.refresh()
        seen, stopped = survey(ledger.store), ledger.store.holds()
        held = _held(merge, state, ledger)
        refused = _refused(inputs, merge, state, ledger)
    step = _step(merge, state)
    kept_back = _kept_back(merge, state, stopped)
    if output == "json":
        more = {"refused": refused, "holds": [fact(hold) for hold in kept_back]}
        show_json(_facts(step, merge, state, held=held, seen=seen) | more)
    else:
        show(differences.step_lines(step, origin=lambda change: merge.merged.origins.get(change.parts)))
        _tell(len(step.leaves) + len(step.sealed), state, held=held, refused=refused, seen=seen)
        for hold in kept_back:
            say(f"{hold}. Lift it with `confbus resume`, or go through with `confbus publish --force`.")
    return outcome.DIFFERENT if step.leaves or step.sealed else outcome.DONE


def _step(merge: Merge, state: State | None) -> Step:
    """From the head to the merge; what only has another key is the same."""
    from confbus.wire.manifest import EMPTY
    from confbus_publisher.audit.contents import Step

    before = state.release.manifest if state else EMPTY
    changes = before.changes_to(merge.manifest)
    aliases = [alias.sections for alias in merge.aliases()]
    same = {name for name in changes for alias in aliases if name in alias and alias[name] == before.sections.get(name)}
    real = {name: digest for name, digest in changes.items() if name not in same}
    return Step.between(before, real, {**(state.blobs if state else {}), **merge.encoded.by_digest})


def _held(merge: Merge, state: State | None, ledger: Ledger) -> dict[str, str]:
    """The sections that were rolled back and still have that content, each with why."""
    from confbus_publisher.overrides.beneath import held_now

    if state is None:
        return {}
    held = held_now(merge, ledger, state, state.quarantine)
    return {section: state.quarantine[pairs[0]] for section, pairs in held.items()}


def _refused(inputs: Inputs, merge: Merge, state: State | None, ledger: Ledger) -> list[str]:
    """What the checks have against it, which nothing forces."""
    from confbus.errors import ChecksFailed
    from confbus_publisher.judgement import judge_next

    try:
        judge_next(inputs, merge, state, ledger.store)
    except ChecksFailed as error:
        return list(error.problems)
    return []


def _kept_back(merge: Merge, state: State | None, stopped: Holds) -> list[Hold]:
    """What people hold of what a publish would change."""
    from confbus_publisher.holds.hold import in_force, keeping

    return keeping(in_force(stopped), merge.manifest, state.release.manifest if state else None)


def _facts(step: Step, merge: Merge, state: State | None, *, held: dict[str, str], seen: Survey) -> dict[str, Any]:
    paths = [*(change.parts for change in step.leaves), *step.sealed]
    return {
        "version": state.head.version if state else None,
        "changes": [
            {**fact, "origin": str(merge.merged.origins.get(path, "")) or None}
            for path, fact in zip(paths, differences.step_facts(step), strict=True)
        ],
        "held": list(held),
        "active": active_fact(seen),
    }


def _tell(count: int, state: State | None, *, held: dict[str, str], refused: list[str], seen: Survey) -> None:
    base = f"version {state.head.version}" if state else "nothing: this namespace is empty"
    say(f"{counted(count, 'change')} from {base}." if count else f"The sources say what {base} says.")
    for section, why in held.items():
        say(f"Held: {sections_text([section])}, {why}. Mend it, or let it out with `confbus resume {section}`.")
    for problem in refused:
        say(f"Refused: {plain(problem)}", indent="  ")
    if seen.holder:
        say(f"The active publisher is {active_text(seen).rstrip('.')}.")
    elif refused:
        say("Mend what is refused: nothing goes out before.")
    elif count:
        say("No publisher is active: `confbus publish` or `confbus run` puts this out.")
