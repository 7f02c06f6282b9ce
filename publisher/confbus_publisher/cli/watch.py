"""`confbus watch`: see every change as the fleet sees it."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, NoReturn

import click

from confbus_publisher.cli import differences, outcome
from confbus_publisher.cli.moments import iso, local
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import say, show, show_json

if TYPE_CHECKING:
    from confbus.status import Status
    from confbus.wire.path import Pattern
    from confbus.wire.snapshot import Snapshot
    from confbus_publisher.opening import Named


@subcommand(
    "watch",
    example="confbus watch 'services.*.timeout'",
    keys="a line for each change: version, at, path, change, old, new",
)
@with_place
@click.argument("path", default="**")
@with_output
def command(named: Named, output: str, path: str) -> int:
    """Print each leaf that changes, as it changes, until Ctrl-C.

    Follows the configuration like a worker. PATH may hold * for one level and ** for any; it means also all that is
    below. Releases in quick succession may show as one change. Values that look like secrets are shown as ***.
    """
    from confbus.subscriber import Subscriber
    from confbus.wire.path import Pattern
    from confbus_publisher.opening import site_of

    pattern, site = Pattern(path), site_of(named)
    news: queue.SimpleQueue[Snapshot | Status] = queue.SimpleQueue()
    # A validator is told of every snapshot; putting it into the queue never refuses one.
    subscriber = Subscriber(
        site.url, namespace=site.namespace, is_reporting=False, validators=[news.put], observer=news.put
    )
    try:
        with subscriber:
            say(f"Following {site.namespace} at {site.where}; Ctrl-C ends it.")
            subscriber.follow()
            return _tell(news, pattern, output=output)
    except KeyboardInterrupt:
        return outcome.DONE


def _tell(news: queue.SimpleQueue[Snapshot | Status], pattern: Pattern, *, output: str) -> NoReturn:
    """Print what comes, for ever."""
    from confbus.wire.snapshot import Snapshot

    before, state = None, ""
    while True:
        new = news.get()
        if isinstance(new, Snapshot):
            if before is not None:
                _show(before, new, pattern=pattern, output=output)
            before = new
        elif new.state != state:
            state = new.state
            say(f"{state}{_place(new)}")


def _show(before: Snapshot, new: Snapshot, *, pattern: Pattern, output: str) -> None:
    from confbus.wire.diff import diff

    at_ms = round(new.published_at.timestamp() * 1000)
    changes = [change for change in diff(before, new) if pattern.matches(change.parts)]
    if output == "json":
        for change in changes:
            facts = {"version": new.version, "at": iso(at_ms), **differences.fact(change)}
            show_json(facts, is_stream=True)
        return
    prefix = f"{local(at_ms)[-8:]} v{new.version} "
    show(prefix + line for line in differences.lines(changes))


def _place(status: Status) -> str:
    if status.error:
        return f": {status.error}"
    return f": version {status.running.version}" if status.running else ""
