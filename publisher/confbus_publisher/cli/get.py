"""`confbus get`: read a value as the fleet reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from confbus.wire.frozen import Reference
from confbus.wire.reference import spelled
from confbus_publisher.cli import outcome
from confbus_publisher.cli.offers import files, paths, versions
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import listed, present, say

if TYPE_CHECKING:
    from confbus.wire.sections import Assembly, Opener
    from confbus_publisher.opening import Named


@subcommand("get", example="confbus get database.pool.size", keys="version, path, value, sealed [path]")
@with_place
@click.argument("path", default="", shell_complete=paths)
@click.option("--version", type=int, metavar="V", help="In that version; else in the head.", shell_complete=versions)
@click.option("--open-keys", metavar="FILE", help="A keyring that opens sealed sections.", shell_complete=files)
@with_output
def command(named: Named, output: str, path: str, version: int | None, open_keys: str | None) -> int:
    """Print the value at a path, as the fleet reads it.

    Without PATH it is the whole configuration, without what is sealed. A text comes as it is, everything else as JSON.
    Paths are written a.b, a["k.with.dots"], hosts[0]. Sealed sections are opened with --open-keys only.
    """
    from confbus.wire.path import parse, pointer, render
    from confbus_publisher.cli.content import content, release_of
    from confbus_publisher.opening import site_of

    parts, site = parse(path), site_of(named)
    with site.ledger() as ledger:
        release = release_of(ledger, version)
        there = content(ledger, release, _opener(site.namespace, open_keys))
        value = _value(there, parts, version=release.version)
    sealed = [] if parts else sorted(map(render, there.locked_places))
    if sealed and output == "text":
        say(f"Sealed, and not shown: {listed(sealed)}.")
    facts = {"version": release.version, "path": pointer(parts), "value": value}
    present(output, facts | ({"sealed": sealed} if sealed else {}), [_text(value)])
    return outcome.DONE


def _opener(namespace: str, path: str | None) -> Opener | None:
    """What opens with the keyring at `path`. Raises `InvalidSettings` when that cannot be read."""
    from confbus.errors import InvalidSettings
    from confbus.open_keys import OpenKeys

    if path is None:
        return None
    keys = OpenKeys(namespace, path)
    keys.renew()
    if keys.problem:
        raise InvalidSettings("--open-keys", keys.problem.rstrip("."))
    return keys.open


def _value(there: Assembly, parts: tuple[str | int, ...], *, version: int) -> Any:
    from confbus.errors import SealedError, UnknownPath
    from confbus.wire.path import lookup, nearest, render

    tree = there.document
    try:
        return lookup(tree, parts)
    except KeyError:
        for place, key in there.locked_places.items():
            if place in {parts[:1], parts[:2]}:
                sealed = SealedError(render(place), key)
                sealed.advice = "Workers that have it read it; here --open-keys FILE opens it."
                raise sealed from None
        unknown = UnknownPath(render(parts), nearest=nearest(tree, parts), version=version)
        unknown.advice = unknown.advice or "`confbus get` without a path prints all there is."
        raise unknown from None


def _text(value: Any) -> str:
    if isinstance(value, str | Reference):
        return str(value)
    return json.dumps(value, ensure_ascii=False, indent=2, default=spelled)
