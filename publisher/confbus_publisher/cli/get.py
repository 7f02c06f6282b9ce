"""`confbus get`: read a value as the fleet reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from confbus.wire.reference import Reference, spelled
from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import present

if TYPE_CHECKING:
    from confbus_publisher.opening import Named


@subcommand("get", example="confbus get database.pool.size", keys="version, path, value")
@with_place
@click.argument("path", default="")
@click.option("--version", type=int, metavar="V", help="In that version; else in the head.")
@with_output
def command(named: Named, output: str, path: str, version: int | None) -> int:
    """Print the value at a path, as the fleet reads it.

    Without PATH it is the whole configuration. A text comes as it is, everything else as JSON. Paths are written
    a.b, a["k.with.dots"], hosts[0].
    """
    from confbus.wire.path import parse, pointer
    from confbus_publisher.cli.content import document, release_of
    from confbus_publisher.opening import site_of

    parts = parse(path)
    with site_of(named).ledger() as ledger:
        release = release_of(ledger, version)
        value = _value(document(ledger, release), parts, version=release.version)
    present(output, {"version": release.version, "path": pointer(parts), "value": value}, [_text(value)])
    return outcome.DONE


def _value(tree: Any, parts: tuple[str | int, ...], *, version: int) -> Any:
    from confbus.errors import UnknownPath
    from confbus.wire.path import lookup, nearest, render

    try:
        return lookup(tree, parts)
    except KeyError:
        unknown = UnknownPath(render(parts), nearest=nearest(tree, parts), version=version)
        unknown.advice = unknown.advice or "`confbus get` without a path prints all there is."
        raise unknown from None


def _text(value: Any) -> str:
    if isinstance(value, str | Reference):
        return str(value)
    return json.dumps(value, ensure_ascii=False, indent=2, default=spelled)
