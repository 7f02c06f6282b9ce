"""`confbus check`: whether the sources make a configuration that may go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from confbus.errors import ConfBusError
from confbus.names import plain
from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_output, with_settings
from confbus_publisher.cli.output import counted, present, say, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.checks import Problem
    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.opening import Named


@subcommand(
    "check",
    example="confbus check -c confbus.yaml",
    keys="problems [{problem, advice, level, path, origin, rule}], skipped [check], sources, values, sections, bytes",
)
@with_settings
@with_output
def command(named: Named, output: str) -> int:
    """Find all that is wrong with the sources, without a server.

    Reads confbus.yaml and every source, merges them, and runs the checks on the result. Tells every problem with its
    file and line. Warnings alone are no reason to fail. Overrides are in Redis, so they are not looked at.
    """
    from confbus_publisher.opening import inputs_of, settings_of

    inputs, merge = None, None
    failures: list[ConfBusError] = []
    problems: tuple[Problem, ...] = ()
    try:
        inputs = inputs_of(settings_of(named), is_dry=True)
        failures = [*inputs.failings()]
        if not failures:
            merge = inputs.load()
            problems = inputs.judge(merge, lambda: None)
    except ConfBusError as error:
        failures = [error]
    skipped = [check.name for check in inputs.checks if check.needs_head] if inputs else []
    facts = [*map(_fact, failures), *(problem.fact() for problem in problems)]
    present(output, {"problems": facts, "skipped": skipped, **_size(inputs, merge)}, _lines(facts))
    has_errors = any(fact["level"] == "error" for fact in facts)
    if output == "text":
        for name in skipped:
            say(f"{name}: not tried, since it compares with the head, and a check asks no server.")
        if merge is not None and not has_errors:
            say(_summary(len(inputs.sources) if inputs else 0, merge, len(facts)))
            say("Overrides are in Redis and were not looked at.")
    return outcome.REFUSED if has_errors else outcome.DONE


def _fact(error: ConfBusError) -> dict[str, Any]:
    """An error about settings or sources, in the form of a problem; its place stands in its text."""
    facts = dict.fromkeys(("path", "rule"), "")
    origin = str(getattr(error, "origin", ""))
    return {"problem": error.message, "advice": error.advice, "level": "error", **facts, "origin": origin}


def _lines(facts: list[dict[str, Any]]) -> Iterator[str]:
    for fact in facts:
        label = click.style("warning: ", fg="yellow") if fact["level"] == "warning" else ""
        yield from sentence(label + plain(fact["problem"]), indent="  ")
        if fact["advice"]:
            yield from sentence(f"  {plain(fact['advice'])}", indent="  ")


def _size(inputs: Inputs | None, merge: Merge | None) -> dict[str, int | None]:
    return {
        "sources": len(inputs.sources) if inputs else 0,
        "values": len(merge.merged.origins) if merge else None,
        "sections": len(merge.manifest) if merge else None,
        "bytes": merge.encoded.size if merge else None,
    }


def _summary(sources: int, merge: Merge, warnings: int) -> str:
    values, sections = counted(len(merge.merged.origins), "value"), counted(len(merge.manifest), "section")
    but = f", {counted(warnings, 'warning')}" if warnings else ""
    return f"Fine: {values} in {sections} from {counted(sources, 'source')}, {merge.encoded.size:,} bytes{but}."
