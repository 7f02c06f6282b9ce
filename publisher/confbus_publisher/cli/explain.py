"""`confbus explain`: where a value comes from, and since when it is what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.cli import outcome
from confbus_publisher.cli.offers import paths
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import listed, present, say, sentence, table
from confbus_publisher.cli.values import brief, visible
from confbus_publisher.explain import ABSENT, Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from confbus.wire.origins import Given
    from confbus.wire.path import Path
    from confbus.wire.release import Release
    from confbus_publisher.explain import Explanation
    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.ledger import Ledger
    from confbus_publisher.opening import Named

_HEADS = ["", "VALUE", "WHERE", "KIND", "PRIORITY"]
_MOST = 40


@subcommand(
    "explain",
    example="confbus explain database.port",
    keys="values [{path, value, sealed, layers [{effect, place, source, kind, priority, value}], used [reference], "
    "how, types [type]}]; of one value also version, is_there, is_published, since {version, at, author, message}",
)
@with_place
@click.argument("path", default="", shell_complete=paths)
@click.option("--all", "is_all", is_flag=True, help="Every value of the configuration, one line each.")
@with_output
def command(named: Named, output: str, path: str, *, is_all: bool) -> int:
    """Tell where a value comes from, and which of its layers wins.

    Beside a confbus.yaml it tells what the sources say now, and whether that is published; elsewhere, what was told
    with the release. Of a section, every value in it is told in one line. Values that look like secrets are shown
    as ***, those of sealed sections not at all.
    """
    from confbus.wire.path import parse
    from confbus_publisher import explain
    from confbus_publisher.cli.overrides import on_top
    from confbus_publisher.cli.sources import merged
    from confbus_publisher.opening import site_of

    if not path and not is_all:
        raise click.UsageError("Name a path, or give --all.")
    parts = parse(path)
    inputs = _inputs(named)
    with site_of(named).ledger() as ledger:
        state = ledger.refresh()
        head, merge = state.release if state else None, None
        if inputs:
            merge = merged(inputs, on_top(ledger.store))
            found = explain.of_merge(inputs, merge, parts)
        else:
            found = explain.of_release(ledger, head, parts) if head else []
        if not found:
            raise _unknown(merge, parts)
        facts = [_fact(each) for each in found]
        is_one = found[0].path == parts
        if is_one:
            facts[0] |= _history(ledger, head, found[0])
    present(output, {"values": facts}, _detail(found[0], facts[0]) if is_one else _rows(found))
    if output == "text" and not any(each.parts for each in found):
        say("Where these values were written is not kept.")
    return outcome.DONE


def _inputs(named: Named) -> Inputs | None:
    """The sources, where there is a settings file that names some."""
    from confbus_publisher.opening import inputs_of, settings_of

    settings = settings_of(named) if named.has_settings else None
    return inputs_of(settings) if settings and settings.sources else None


def _unknown(merge: Merge | None, parts: Path) -> Exception:
    from confbus.errors import NoRelease, UnknownPath
    from confbus.wire.path import nearest, render

    if not parts:
        return NoRelease("Nothing is published in this namespace", advice="`confbus publish` makes the first release.")
    unknown = UnknownPath(render(parts), nearest=nearest(merge.tree, parts) if merge else "")
    unknown.advice = unknown.advice or "`confbus explain --all` has every value."
    return unknown


def _history(ledger: Ledger, head: Release | None, found: Explanation) -> dict[str, Any]:
    """Whether the value is published, and since when."""
    from confbus.wire.diff import same
    from confbus_publisher import explain
    from confbus_publisher.moments import iso

    if head is None:
        return {"version": None, "is_there": False, "is_published": False, "since": None}
    there = explain.value_in(ledger, head, found.path)
    is_published = same(there, found.value)
    begun = explain.since(ledger, head, found.path) if is_published else None
    since = begun and {
        "version": begun.version,
        "at": iso(begun.at_ms),
        "author": begun.author,
        "message": begun.message,
    }
    is_there = there is not ABSENT
    return {"version": head.version, "is_there": is_there, "is_published": is_published, "since": since}


def _fact(found: Explanation) -> dict[str, Any]:
    from confbus.wire.path import pointer

    layers = [
        {
            "effect": part.given.effect,
            "place": part.given.place,
            "source": part.given.source,
            "kind": part.given.kind,
            "priority": part.given.priority,
            **({} if part.value is ABSENT else {"value": visible(found.path, part.value)}),
        }
        for part in found.parts
    ]
    is_sealed = isinstance(found.value, Sealed)
    value = None if is_sealed else visible(found.path, found.value)
    fact: dict[str, Any] = {"path": pointer(found.path), "value": value, "layers": layers}
    more = {
        "sealed": is_sealed,
        "used": found.step and list(found.step.used),
        "how": found.how,
        "types": sorted(found.types),
    }
    return fact | {name: each for name, each in more.items() if each}


def _detail(found: Explanation, fact: dict[str, Any]) -> Iterator[str]:
    """One value: what it is, each layer in a row, and since when."""
    from confbus.wire.path import render

    yield f"{render(found.path)} = {_shown(found, most=_MOST)}"
    rows = [
        [
            f"  {part.given.effect}",
            "" if part.value is ABSENT else brief(found.path, part.value, most=_MOST),
            _where(part.given),
            part.given.kind,
            "" if part.given.kind == "override" else str(part.given.priority),
        ]
        for part in found.parts
    ]
    yield from table([_HEADS, *rows], right=["PRIORITY"], whole=["", "KIND"], tails=["WHERE"])
    if found.step:
        yield f"expanded with {listed(found.step.used)}"
    if found.how:
        yield found.how
    if found.types:
        yield f"the schema allows {listed(sorted(found.types))}"
    since = fact["since"]
    if since:
        why = f": {since['message']}" if since["message"] else ""
        yield from sentence(
            f"so since version {since['version']}, {since['at']} by {since['author']}{why}", indent="  "
        )
    elif fact["version"]:
        yield f"not published: version {fact['version']} has {'another' if fact['is_there'] else 'no'} value there"
    else:
        yield "not published: this namespace is empty"


def _where(given: Given) -> str:
    """The place that a person opens; of an override, whose path is told already, what ends it."""
    ending = given.place.partition(" (")[2].removesuffix(")") if given.kind == "override" else ""
    return ending or given.place


def _rows(found: Sequence[Explanation]) -> Iterable[str]:
    """Many values: a row each, with the place that won."""
    from confbus.wire.path import render

    rows = [[render(each.path), _shown(each), each.parts[0].given.place if each.parts else "?"] for each in found]
    return table([["PATH", "VALUE", "WHERE"], *rows], tails=["PATH", "WHERE"])


def _shown(found: Explanation, *, most: int = 24) -> str:
    return "(sealed)" if isinstance(found.value, Sealed) else brief(found.path, found.value, most=most)
