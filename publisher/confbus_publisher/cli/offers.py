"""What a shell offers when somebody presses TAB: what the namespace has that would fit there.

Whoever completes wants to type, so this never fails, tells nothing, and gives up after a second.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click
    from click.shell_completion import CompletionItem

    from confbus_publisher.ledger import Ledger

_PATIENCE_S = 1.0
_MOST = 200
_PLAIN = re.compile(r"[\w.\[\]-]+")  # Shells disagree about how to quote the rest.


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Whatever the shell offers for the name of a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def paths(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The leaves of the head; where there are many, only up to the next dot."""
    found = _fitting(_seen(ctx, _paths_of), incomplete)
    if len(found) <= _MOST:
        return found
    rest = len(incomplete)
    return list(dict.fromkeys(path[:rest] + path[rest:].partition(".")[0] for path in found))


def sections(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The sections of the head that were not named yet."""
    named = ctx.params.get("sections") or ()
    return _fitting((name for name in _seen(ctx, _sections_of) if name not in named), incomplete)


def stopped(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The sections that were rolled back or are held, and were not named yet."""
    named = ctx.params.get("sections") or ()
    return _fitting((name for name in _seen(ctx, _stopped_in) if name not in named), incomplete)


def overridden(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The paths that have an override."""
    return _fitting(_seen(ctx, lambda ledger: ledger.store.overrides().texts), incomplete)


def versions(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The versions that are kept, newest first, with who made them and why."""
    from click.shell_completion import CompletionItem

    from confbus.names import plain

    releases = _seen(ctx, lambda ledger: ledger.history(_MOST))
    return [
        CompletionItem(str(release.version), help=plain(f"{release.author} {release.message}".strip()))
        for release in releases
        if str(release.version).startswith(incomplete)
    ]


def _fitting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete) and _PLAIN.fullmatch(name)]


def _seen(ctx: click.Context, look: Callable[[Ledger], Iterable[Any]]) -> list[Any]:
    """What `look` finds in the namespace that was named so far; nothing when that fails, or takes too long."""
    import threading

    found: list[Any] = []
    thread = threading.Thread(target=_look, args=(dict(ctx.params), look, found), daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)
    return [] if thread.is_alive() else found


def _look(named: dict[str, Any], look: Callable[[Ledger], Iterable[Any]], found: list[Any]) -> None:
    from confbus_publisher.opening import Named, site_of

    place = {name: named.get(name) for name in ("config", "url", "namespace", "password_file")}
    try:
        with site_of(Named(**place)).ledger(patience_s=0.0) as ledger:
            found += look(ledger)
    except Exception:  # noqa: BLE001  # an outermost edge: whoever presses TAB is told nothing
        found.clear()


def _paths_of(ledger: Ledger) -> Iterable[str]:
    from confbus.wire.path import leaves, render
    from confbus_publisher.cli.content import content, head_state

    there = content(ledger, head_state(ledger).release)
    return map(render, sorted([*there.locked_places, *(path for path, _ in leaves(there.document))]))


def _sections_of(ledger: Ledger) -> Iterable[str]:
    from confbus_publisher.cli.content import head_state

    return sorted(head_state(ledger).release.manifest)


def _stopped_in(ledger: Ledger) -> Iterable[str]:
    from confbus_publisher.cli.quarantine import parse_quarantine

    state = ledger.refresh()
    rolled_back = {each.section for each in parse_quarantine(state.quarantine)} if state else set[str]()
    return sorted(rolled_back | set(ledger.store.holds().texts))
