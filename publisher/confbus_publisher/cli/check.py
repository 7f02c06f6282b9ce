"""`confbus check`: whether the sources make a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.errors import ConfBusError
from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_output, with_settings
from confbus_publisher.cli.output import counted, present, say

if TYPE_CHECKING:
    from confbus_publisher.inputs import Merge
    from confbus_publisher.opening import Named


@subcommand(
    "check",
    example="confbus check -c confbus.yaml",
    keys="problems [{problem, advice}], sources, values, sections, bytes",
)
@with_settings
@with_output
def command(named: Named, output: str) -> int:
    """Find everything that is wrong with the sources, without a server.

    Reads confbus.yaml and every source, merges them and measures the result. Tells every problem with its file and
    line.
    """
    from confbus_publisher.opening import inputs_of, settings_of

    sources, merge = 0, None
    try:
        inputs = inputs_of(settings_of(named))
        sources = len(inputs.sources)
        problems: list[ConfBusError] = [*inputs.problems()]
        merge = None if problems else inputs.load()
    except ConfBusError as error:
        problems = [error]
    present(output, _facts(problems, sources, merge), _lines(problems))
    if output == "text" and merge is not None:
        say(_summary(sources, merge))
    return outcome.REFUSED if problems else outcome.DONE


def _lines(problems: list[ConfBusError]) -> list[str]:
    return [line for problem in problems for line in _indented(problem)]


def _indented(problem: ConfBusError) -> list[str]:
    first, *rest = outcome.sentences(problem)
    return [first, *(f"  {line}" for line in rest)]


def _facts(problems: list[ConfBusError], sources: int, merge: Merge | None) -> dict[str, Any]:
    return {
        "problems": [{"problem": problem.message, "advice": problem.advice} for problem in problems],
        "sources": sources,
        "values": len(merge.merged.origins) if merge else None,
        "sections": len(merge.manifest) if merge else None,
        "bytes": merge.encoded.size if merge else None,
    }


def _summary(sources: int, merge: Merge) -> str:
    values, sections = counted(len(merge.merged.origins), "value"), counted(len(merge.manifest), "section")
    return f"Fine: {values} in {sections} from {counted(sources, 'source')}, {merge.encoded.size:,} bytes."
