"""`confbus history`: the releases that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import present, say, table

if TYPE_CHECKING:
    from confbus.wire.release import Release
    from confbus_publisher.opening import Named

_HEADS = ["  VERSION", "WHEN", "WHO", "CHANGED", "MESSAGE"]


@subcommand(
    "history",
    example="confbus history --count 5",
    keys="releases [{version, is_head, of, parent, at, author, message, digest, bytes, sections}]",
)
@with_place
@click.option("--count", type=click.IntRange(min=1), default=20, metavar="N", help="How many at most (20).")
@with_output
def command(named: Named, output: str, count: int) -> int:
    """List releases, newest first.

    The head is marked *; "= v1" says that a release has the content of version 1, as after a rollback; CHANGED counts
    the sections in which it differs from the one that it replaced.
    """
    from confbus_publisher.opening import site_of

    with site_of(named).ledger() as ledger:
        releases = ledger.history(count + 1)
        head = ledger.state.head.version if ledger.state else 0
    known = {release.version: release for release in releases}
    facts = [_fact(release, known, head=head) for release in releases[:count]]
    rows = [_row(release, fact) for release, fact in zip(releases, facts, strict=False)]
    lines = table([_HEADS, *rows], right=["CHANGED"], whole=["  VERSION", "WHEN"])
    present(output, {"releases": facts}, lines)
    if not rows:
        say("Nothing is published in this namespace.")
    return outcome.DONE


def _fact(release: Release, known: dict[int, Release], *, head: int) -> dict[str, Any]:
    from confbus_publisher.cli.content import changed_sections
    from confbus_publisher.moments import iso

    parent = known.get(release.parent)
    is_comparable = parent is not None or not release.parent
    return {
        "version": release.version,
        "is_head": release.version == head,
        "of": release.of,
        "parent": release.parent or None,
        "at": iso(release.at_ms),
        "author": release.author,
        "message": release.message,
        "digest": release.digest,
        "bytes": release.size,
        "sections": changed_sections(release, parent) if is_comparable else None,
    }


def _row(release: Release, fact: dict[str, Any]) -> list[str]:
    from confbus_publisher.moments import local

    same = f" = v{release.of}" if release.of != release.version else ""
    changed = "?" if fact["sections"] is None else str(len(fact["sections"]))
    mark = "*" if fact["is_head"] else " "
    return [f"{mark} {release.version}{same}", local(release.at_ms), release.author, changed, release.message]
