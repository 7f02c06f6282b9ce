"""`confbus set`: put a value on top of all sources, for a while."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.cli.offers import paths
from confbus_publisher.cli.options import seconds, subcommand, with_author, with_output, with_place, with_wait
from confbus_publisher.cli.output import say

if TYPE_CHECKING:
    from confbus.wire.path import Path
    from confbus_publisher.cli.wait import Wait
    from confbus_publisher.ledger import State
    from confbus_publisher.opening import Named
    from confbus_publisher.overrides.override import Override
    from confbus_publisher.sealing.seals import Seals


@subcommand(
    "set",
    example="confbus set features.new_cart true --ttl 30m --reason 'a trial'",
    keys="path, until, is_new, version, active {instance, state, why}, fleet",
)
@with_place
@click.argument("path", shell_complete=paths)
@click.argument("value")
@click.option("--ttl", "ttl_s", callback=seconds, metavar="DURATION", help="End it by itself after so long: 30m.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the status and the log.")
@click.option("--string", "is_string", is_flag=True, help="VALUE is a string, whatever it looks like.")
@with_author
@with_wait
@with_output
def command(
    named: Named,
    output: str,
    path: str,
    value: str,
    ttl_s: float | None,
    reason: str,
    author: str,
    wait: Wait,
    **how: bool,
) -> int:
    """Override the value at a path, above all sources.

    VALUE is read like an environment variable: true, false, null, a number, JSON when it begins with { or [, else a
    string. Write -- before a negative number. Mappings are merged key by key, everything else replaces what is there.
    It lasts until --ttl or `confbus unset` end it. Waits a moment for the version that has it; with --wait, until the
    fleet has applied that. What is sealed is not overridden: overrides are plain text.
    """
    from confbus_publisher.cli import arrival
    from confbus_publisher.ledger import Why
    from confbus_publisher.moments import iso
    from confbus_publisher.opening import site_of
    from confbus_publisher.overrides import amending
    from confbus_publisher.overrides.override import parse_path
    from confbus_publisher.refusals import recorded

    parts, wanted = parse_path(path), _value(value, path, **how)
    began = time.monotonic()
    site = site_of(named)
    with site.ledger() as ledger:
        before = wait.survey(ledger)
        with recorded(ledger, Why(author, reason, "set"), path=path):
            state = ledger.refresh()
            _refuse_sealed(state, site.seals, parts)
            novelty = _novelty(state, parts)
            override = amending.put(ledger.store, parts, wanted, by=author, reason=reason, ttl_s=ttl_s)
        patience_s = wait.timeout_s or arrival.PATIENCE_S
        found = arrival.wait(
            ledger, lambda state: _says(state, override), since_ms=override.at_ms, patience_s=patience_s
        )
        until = iso(override.until_ms) if override.until_ms else None
        where = f"version {found.version} has it" if found.version else "no version has it yet"
        text = f"Set {override.name}{f' until {until}' if until else ''}; {where}."
        facts = {"path": override.name, "until": until, "is_new": bool(novelty), **found.facts()}
        wait.present(output, facts, text, ledger=ledger, before=before if found.version else None, since=began)
    if output == "text" and novelty:
        say(f"{novelty} `confbus unset {shlex.quote(override.name)}` takes it away.")
    if output == "text" and not found.version:
        say(found.reason())
    return found.exit_code(must_arrive=wait.timeout_s is not None)


def _novelty(state: State | None, parts: Path) -> str:
    """What to say of a path at which nothing is yet, which may be mistyped."""
    from confbus.errors import Malformed
    from confbus.wire.path import lookup, nearest, render
    from confbus.wire.sections import join

    if state is None:
        return ""
    try:
        document = join(state.blobs, state.release.manifest).document
    except Malformed:  # Whoever has to act in an emergency is not kept from it.
        return ""
    try:
        lookup(document, parts)
    except KeyError:
        near = nearest(document, parts)
        return f"Nothing was at {render(parts)} before.{f' Did you mean {near!r}?' if near else ''}"
    return ""


def _refuse_sealed(state: State | None, seals: Seals | None, parts: Path) -> None:
    """Raises `Refused` for what is sealed, or shall be."""
    from confbus.errors import Refused
    from confbus.wire.path import render
    from confbus.wire.sections import path_of
    from confbus_publisher.sealing.resealing import keys_of

    sealed = {path_of(name)[0] for name in (keys_of(state.release.manifest, state.blobs) if state else ())}
    if parts[0] in sealed | (seals.keys if seals else frozenset()):
        reason = f"{render(parts[:1])} is sealed, and an override would stand in Redis as plain text"
        raise Refused(reason, advice="Put the value into a source.")


def _value(text: str, path: str, *, is_string: bool) -> Any:
    from confbus.errors import InvalidDocument
    from confbus_publisher.formats.limits import Unfit
    from confbus_publisher.formats.literal import guess

    try:
        return text if is_string else guess(text)
    except Unfit as unfit:
        raise InvalidDocument(path, unfit.reason, advice="Mend it, or give --string.") from None


def _says(state: State, override: Override) -> bool:
    """Whether the document of the head has the value, or all of the mapping."""
    from confbus.wire.diff import same
    from confbus.wire.path import leaves, lookup
    from confbus.wire.sections import join

    document = join(state.blobs, state.release.manifest).document
    try:
        return all(
            same(lookup(document, path), value)
            for path, value in leaves(override.tree())
            if value != {}  # Over an empty mapping any other may lie.
        )
    except KeyError:
        return False
