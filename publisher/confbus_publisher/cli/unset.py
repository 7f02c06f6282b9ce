"""`confbus unset`: end an override."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_output, with_place, with_wait
from confbus_publisher.cli.output import present, say

if TYPE_CHECKING:
    from confbus_publisher.opening import Named


@subcommand("unset", example="confbus unset features.new_cart", keys="path, version, active {instance, state, why}")
@with_place
@click.argument("path")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the log.")
@with_wait
@with_output
def command(named: Named, output: str, path: str, reason: str, wait_s: float) -> int:
    """End the override of a path now.

    What the sources say there comes back. Waits a moment for the version without it. `confbus status` lists the
    overrides.
    """
    from confbus_publisher.cli import arrival
    from confbus_publisher.opening import author, site_of
    from confbus_publisher.overrides import amending

    with site_of(named).ledger() as ledger:
        store = ledger.store
        since_ms = store.time_ms()
        name = amending.end(store, path, by=author(), reason=reason)
        found = arrival.wait(
            ledger, lambda _: name not in store.overrides().texts, since_ms=since_ms, patience_s=wait_s
        )
    where = f"version {found.version} is without it" if found.version else "no version is without it yet"
    present(output, {"path": name, **found.facts()}, [f"Ended the override of {name}; {where}."])
    if output == "text" and not found.version:
        say(found.reason())
    return outcome.REFUSED if found.is_refused else outcome.DONE
