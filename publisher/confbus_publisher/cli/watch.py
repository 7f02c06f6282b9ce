"""`confbus watch`: see every change as the fleet sees it."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, NoReturn

import click

from confbus_publisher.cli import differences, outcome
from confbus_publisher.cli.offers import paths
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import say, show, show_json
from confbus_publisher.moments import iso, local

if TYPE_CHECKING:
    from confbus.status import Status
    from confbus.wire.path import Path, Pattern
    from confbus.wire.snapshot import Snapshot
    from confbus_publisher.audit.contents import Step
    from confbus_publisher.ledger import Ledger
    from confbus_publisher.opening import Named


@subcommand(
    "watch",
    example="confbus watch 'services.*.timeout'",
    keys="a line for each change: version, at, path, change, old, new",
)
@with_place
@click.argument("path", default="**", shell_complete=paths)
@with_output
def command(named: Named, output: str, path: str) -> int:
    """Print each leaf that changes, as it changes, until Ctrl-C.

    Follows the configuration like a worker. PATH may hold * for one level and ** for any; it means also all that is
    below. Releases in quick succession may show as one change. Values that look like secrets are shown as ***, and of a
    sealed section only that it changed.
    """
    from confbus.keyring import Keyring
    from confbus.subscriber import Subscriber
    from confbus.wire.path import Pattern
    from confbus_publisher.opening import site_of

    pattern, site = Pattern(path), site_of(named)
    news: queue.SimpleQueue[Snapshot | Status] = queue.SimpleQueue()
    # A validator is told of every snapshot; putting it into the queue never refuses one.
    subscriber = Subscriber(
        site.url,
        namespace=site.namespace,
        is_reporting=False,
        validators=[news.put],
        observer=news.put,
        open_keys=Keyring,  # none: what is sealed stays so, also where keys are at hand
    )
    try:
        with subscriber, site.ledger() as ledger:
            say(f"Following {site.namespace} at {site.where}; Ctrl-C ends it.")
            subscriber.follow()
            return _tell(news, pattern, ledger, output=output)
    except KeyboardInterrupt:
        return outcome.DONE


def _tell(news: queue.SimpleQueue[Snapshot | Status], pattern: Pattern, ledger: Ledger, *, output: str) -> NoReturn:
    """Print what comes, for ever."""
    from confbus.wire.snapshot import Snapshot

    before, state = None, ""
    while True:
        new = news.get()
        if isinstance(new, Snapshot):
            if before is not None:
                _show(_step(before, new, pattern, ledger), new, output=output)
            before = new
        elif new.state != state:
            state = new.state
            say(f"{state}{_place(new)}")


def _step(before: Snapshot, new: Snapshot, pattern: Pattern, ledger: Ledger) -> Step:
    from confbus.wire.diff import diff
    from confbus_publisher.audit.contents import Step
    from confbus_publisher.ledger.summary import Summary

    locked = {**before.locked, **new.locked}
    changes = [change for change in diff(before, new) if pattern.matches(change.parts)]
    leaves = tuple(change for change in changes if change.parts[:1] not in locked)
    sealed = _changed(before, new, sorted(locked), ledger) if locked else []
    return Step(Summary(), leaves, tuple(place for place in sealed if pattern.matches(place)))


def _changed(before: Snapshot, new: Snapshot, places: list[Path], ledger: Ledger) -> list[Path]:
    """Those of `places` with other bytes; all of them when that cannot be told any more."""
    from confbus.errors import NoRelease
    from confbus.wire.sections import name_of

    try:
        one, other = (ledger.release(snapshot.version) for snapshot in (before, new))
    except NoRelease:
        return places
    if (one.digest, other.digest) != (before.digest, new.digest):
        return places
    sections = one.manifest.sections, other.manifest.sections
    return [place for place in places if sections[0].get(name_of(place)) != sections[1].get(name_of(place))]


def _show(step: Step, new: Snapshot, *, output: str) -> None:
    at_ms = round(new.published_at.timestamp() * 1000)
    if output == "json":
        for fact in differences.step_facts(step):
            show_json({"version": new.version, "at": iso(at_ms), **fact}, is_stream=True)
        return
    prefix = f"{local(at_ms)[-8:]} v{new.version} "
    show(prefix + line for line in differences.step_lines(step))


def _place(status: Status) -> str:
    if status.error:
        return f": {status.error}"
    return f": version {status.running.version}" if status.running else ""
