"""`confbus publish`: put out what the sources say, once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import (
    subcommand,
    with_author,
    with_guard,
    with_message,
    with_output,
    with_place,
    with_wait,
)
from confbus_publisher.cli.output import present, say, sections_text, sentence
from confbus_publisher.cli.sources import merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.release import Release
    from confbus_publisher.cli.wait import Wait
    from confbus_publisher.ledger import Ledger
    from confbus_publisher.opening import Named


@subcommand(
    "publish",
    example='confbus publish -m "raise the pool size" --wait 30s',
    keys="version, is_new, digest, sections [name], warnings [text], guard {outcome, version, why}, fleet",
)
@with_place
@with_message
@with_author
@click.option("--force", is_flag=True, help="Also beside an active publisher, and content that was rolled back.")
@click.option("--adopt", is_flag=True, help="After a loss of data: what the sources say is the truth now.")
@click.option("--allow-empty", is_flag=True, help="Also when the sources have no value at all.")
@with_guard
@with_wait
@with_output
def command(
    named: Named,
    output: str,
    message: str,
    author: str,
    wait: Wait,
    guard_s: float | None,
    **overrides: bool,
) -> int:
    """Publish what the sources and the overrides say, once.

    Publishes nothing when the head has that content already. Refuses beside an active publisher, and for content that
    was rolled back; --force overrides both, and lets that out. With --wait it ends when the instances that are live
    now have applied it; exit code 4 when they do not in time.

    With --guard, or `guard:` in the settings, it goes on watching, itself while no publisher is active; exit code 3
    when the release was rolled back.
    """
    from confbus_publisher.cli import ending
    from confbus_publisher.cli.overrides import on_top
    from confbus_publisher.ledger import Why
    from confbus_publisher.oneshot import publish_once
    from confbus_publisher.opening import identity, inputs_of, policy_of, published_site, settings_of
    from confbus_publisher.overrides.overriding import withdraw
    from confbus_publisher.refusals import recorded

    settings = settings_of(named)
    settings = settings if guard_s is None else settings.guarded(guard_s)
    inputs, policy = inputs_of(settings), policy_of(settings)
    why = Why(author, message, "adopt" if overrides["adopt"] else "publish")
    warnings: list[str] = []
    with published_site(settings).ledger() as ledger:
        source = on_top(ledger.store)
        with recorded(ledger, why):
            merge = merged(inputs, source)
            before = wait.survey(ledger)
            terms, warn = policy.terms, warnings.append
            release = publish_once(
                ledger, merge, why, inputs=inputs, identity=identity(), terms=terms, warn=warn, **overrides
            )
        state = ledger.state
        list(withdraw(ledger.store, source, why.author))
        facts = _facts(ledger, release) | {"warnings": warnings}
        for warning in warnings:
            say(f"warning: {warning}")
        if ledger.unannounced:
            say(f"The notice was not sent, the fleet follows by polling: {ledger.unannounced}")
        since = time.monotonic()
        is_mine = release is not None or policy.terms is not None  # after an interrupt, the same command goes on
        ended = ending.see_through(ledger, policy, why.author) if is_mine else None
        facts["guard"] = ending.fact(ended)
        if ended and ended.is_bad:
            present(output, facts, sentence(_text(facts)))
            return ending.tell(ended)
        wait.present(output, facts, _text(facts), ledger=ledger, before=before, since=since, state=state)
    return outcome.DONE


def _text(facts: Mapping[str, Any]) -> str:
    if not facts["is_new"]:
        return f"Nothing to publish: version {facts['version']} says the same."
    return f"Published version {facts['version']}: {sections_text(facts['sections'])}."


def _facts(ledger: Ledger, release: Release | None) -> dict[str, Any]:
    from confbus_publisher.cli.content import changed_sections, head_state, parent_of

    head = release or head_state(ledger).release
    sections = changed_sections(head, parent_of(ledger, head)) if release else []
    return {"version": head.version, "is_new": release is not None, "digest": head.digest, "sections": sections}
