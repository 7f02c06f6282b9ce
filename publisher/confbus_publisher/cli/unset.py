"""`confbus unset`: end an override."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from confbus_publisher.cli.offers import overridden
from confbus_publisher.cli.options import subcommand, with_author, with_output, with_place, with_wait
from confbus_publisher.cli.output import say

if TYPE_CHECKING:
    from confbus_publisher.cli.wait import Wait
    from confbus_publisher.opening import Named


@subcommand(
    "unset", example="confbus unset features.new_cart", keys="path, version, active {instance, state, why}, fleet"
)
@with_place
@click.argument("path", shell_complete=overridden)
@click.option("--reason", default="", metavar="TEXT", help="Why, for the log.")
@with_author
@with_wait
@with_output
def command(named: Named, output: str, path: str, reason: str, author: str, wait: Wait) -> int:
    """End the override of a path now.

    What the sources say there comes back. Waits a moment for the version without it; with --wait, until the fleet has
    applied that. `confbus status` lists the overrides.
    """
    from confbus_publisher.cli import arrival
    from confbus_publisher.ledger import Why
    from confbus_publisher.opening import site_of
    from confbus_publisher.overrides import amending
    from confbus_publisher.refusals import recorded

    began = time.monotonic()
    with site_of(named).ledger() as ledger:
        before, store = wait.survey(ledger), ledger.store
        since_ms = store.time_ms()
        with recorded(ledger, Why(author, reason, "unset"), path=path):
            name = amending.end(store, path, by=author, reason=reason)
        patience_s = wait.timeout_s or arrival.PATIENCE_S
        found = arrival.wait(
            ledger, lambda _: name not in store.overrides().texts, since_ms=since_ms, patience_s=patience_s
        )
        where = f"version {found.version} is without it" if found.version else "no version is without it yet"
        facts, text = {"path": name, **found.facts()}, f"Ended the override of {name}; {where}."
        wait.present(output, facts, text, ledger=ledger, before=before if found.version else None, since=began)
    if output == "text" and not found.version:
        say(found.reason())
    return found.exit_code(must_arrive=wait.timeout_s is not None)
