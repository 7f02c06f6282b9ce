"""`confbus log`: who changed what, when and why, and what was refused."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import click

from confbus.names import plain
from confbus.wire.path import Pattern
from confbus_publisher.audit.reading import Reading
from confbus_publisher.cli import log_entry, outcome
from confbus_publisher.cli.columns import columns, folded, padded
from confbus_publisher.cli.offers import versions
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import say, show, show_json, table, width
from confbus_publisher.moments import parse_past

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus_publisher.ledger import LogEntry
    from confbus_publisher.opening import Named

_PAUSE_S = 0.5


@subcommand(
    "log",
    example="confbus log --since 2d --action refused",
    keys="a line for each entry: id, at, action, author, message, why, version, from, of, digest, from_digest, "
    "changes [{path, change, sealed}], more, held, lifted, path, values [{path, change, old, new}]",
)
@with_place
@click.option("--count", type=click.IntRange(min=1), default=20, metavar="N", help="How many at most (20).")
@click.option("--action", "actions", multiple=True, metavar="WORD", help="Only publish, rollback, refused, …")
@click.option("--author", metavar="NAME", help="Only by whom; ann@* is everybody who begins so.")
@click.option("--since", metavar="WHEN", help="From so long ago (2h, 7d) or that moment on (2026-11-26T08:00).")
@click.option("--until", metavar="WHEN", help="Up to so long ago, or that moment.")
@click.option("--path", "--section", "path", metavar="PATTERN", help="Only what changed there: database, **.timeout.")
@click.option("--version", type=int, metavar="V", help="Only what made version V the head.", shell_complete=versions)
@click.option("--values", "has_values", is_flag=True, help="Old and new values, while the releases are kept.")
@click.option("--follow", is_flag=True, help="The oldest first, then what comes, until Ctrl-C.")
@with_output
def command(
    named: Named,
    output: str,
    count: int,
    since: str | None,
    until: str | None,
    path: str | None,
    actions: tuple[str, ...],
    author: str | None,
    version: int | None,
    **how: bool,
) -> int:
    """Show the audit trail, newest first.

    Each change of the head, of overrides, approvals, holds and keys, and what was refused: when, who, what, why. ~ is a
    path that was modified, + one that was added, - one that was removed. Values are shown with --values alone, and
    never of what is sealed or named like a secret (***). With --output json it is a line of JSON for each entry.
    """
    from confbus_publisher.audit.query import Query
    from confbus_publisher.opening import site_of

    pattern = Pattern(path) if path is not None else None
    with site_of(named).ledger() as ledger:
        store = ledger.store
        now_ms = store.time_ms()
        query = Query(
            actions=actions,
            author=author,
            since_ms=_moment("--since", since, now_ms),
            until_ms=_moment("--until", until, now_ms),
            version=version,
            path=pattern,
        )
        reading = Reading(query, store)
        entries = list(reading.newest(count))
        if how["follow"]:
            return _follow(reading, entries, output=output, has_values=how["has_values"])
        _show(reading, entries, output=output, has_values=how["has_values"])
    if not entries:
        say("There is no such entry.")
    return outcome.DONE


def _moment(option: str, text: str | None, now_ms: int) -> int | None:
    found = parse_past(text, now_ms) if text is not None else None
    if text is not None and found is None:
        raise click.BadParameter("write 2h, 7d, or 2026-11-26T08:00.", param_hint=option)
    return found


def _show(reading: Reading, entries: Sequence[LogEntry], *, output: str, has_values: bool) -> None:
    """All of them, in columns; with values, these stand below each."""
    steps = [reading.step(entry, has_values=has_values) for entry in entries]
    if output == "json":
        for entry, step in zip(entries, steps, strict=True):
            show_json(log_entry.fact(entry, step, has_values=has_values), is_stream=True)
        return
    rows = [log_entry.row(entry, step) for entry, step in zip(entries, steps, strict=True)]
    head, *blocks = _blocks(rows) if rows else [[]]
    show(head)
    for block, entry, step in zip(blocks, entries, steps, strict=True):
        show([*block, *(log_entry.values(step) if has_values and "from" in entry.fields else ())])


def _blocks(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The heads, then each row: in a terminal, what does not fit at its end stands below it as a whole."""
    room = width()
    if room is None:
        return [[line] for line in _table([log_entry.HEADS, *rows])]
    head, *lines = _table([log_entry.HEADS, *([*row[:-1], ""] for row in rows)])
    widest = columns(head) - len(log_entry.HEADS[-1])
    blocks = [[head]]
    for line, row in zip(lines, rows, strict=True):
        texts = [plain(text) for text in row[-1].splitlines()]
        if len(texts) == 1 and widest + columns(texts[0]) <= room:
            blocks.append([padded(line, widest) + texts[0]])
        else:
            blocks.append([line, *(part for text in texts for part in folded(f"  {text}", room, indent="  "))])
    return blocks


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    return table(rows, right=["VERSION"], whole=["WHEN", "ACTION"])


def _follow(reading: Reading, entries: Sequence[LogEntry], *, output: str, has_values: bool) -> int:
    """The oldest first, then what comes; ends with Ctrl-C, or when the server stays away."""
    say("Following; Ctrl-C ends it.")
    try:
        for entry in chain(reversed(entries), reading.next(pause_s=_PAUSE_S)):
            step = reading.step(entry, has_values=has_values)
            if output == "json":
                show_json(log_entry.fact(entry, step, has_values=has_values), is_stream=True)
            else:
                show([log_entry.line(entry, step)])
                show(log_entry.values(step) if has_values and "from" in entry.fields else ())
    except KeyboardInterrupt:
        return outcome.DONE
    return outcome.FAILED
