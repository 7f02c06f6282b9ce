"""Changed leaves, one line each: `~ pool.size  10 -> 20   config/app.yaml:3`; of what is sealed, that it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from confbus.wire.path import pointer, render
from confbus_publisher.cli.columns import columns
from confbus_publisher.cli.output import width
from confbus_publisher.cli.values import brief, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from confbus.wire.diff import Change
    from confbus_publisher.audit.contents import Step
    from confbus_publisher.origin import Origin

_SIGNS = {"added": "+", "removed": "-", "modified": "~"}
_COLOURS = {"added": "green", "removed": "red", "modified": "yellow"}
_WIDEST = 24
_FARTHEST = 52
"""Origins stand below each other from here on at the latest; longer lines push theirs to the right."""


def lines(changes: Sequence[Change], *, origin: Callable[[Change], Origin | None] | None = None) -> Iterator[str]:
    """A line for each change, with the place to edit at its end where `origin` knows one."""
    room = width()
    places = [_place(origin(change) if origin else None) for change in changes]
    texts = [_fitted(change, place, room) for change, place in zip(changes, places, strict=True)]
    column = min(max(map(columns, texts), default=0), _FARTHEST)
    for change, left, place in zip(changes, texts, places, strict=True):
        whole = left
        if room and columns(left) + (2 + len(place) if place else 0) > room:
            whole = left.replace("  ", "\n    ", 1) + (f"  {click.style(place, dim=True)}" if place else "")
        elif place:
            gap = max(column - columns(left), 0) + 2
            over = max(columns(left) + gap + len(place) - room, 0) if room else 0
            whole = left + " " * max(gap - over, 2) + click.style(place, dim=True)
        yield click.style(whole[0], fg=_COLOURS[change.change_type.value]) + whole[1:]


def step_lines(step: Step, *, origin: Callable[[Change], Origin | None] | None = None) -> Iterator[str]:
    """The lines of all that changed from one content to the next."""
    yield from lines(step.leaves, origin=origin)
    for path in step.sealed:
        yield click.style("~", fg=_COLOURS["modified"]) + f" {render(path)}  changed (sealed)"


def step_facts(step: Step) -> list[dict[str, Any]]:
    """All that changed, for programs."""
    sealed = [{"path": pointer(path), "change": "modified", "sealed": True} for path in step.sealed]
    return [*map(fact, step.leaves), *sealed]


def text(change: Change, *, most: int = _WIDEST) -> str:
    """Sign, path, and value: the old, the new, or both, of at most so many columns each."""
    kind, path = change.change_type.value, change.parts
    old, new = brief(path, change.old_value, most=most), brief(path, change.new_value, most=most)
    values = {"added": new, "removed": old, "modified": f"{old} -> {new}"}[kind]
    return f"{_SIGNS[kind]} {change.path}  {values}"


def fact(change: Change, *, origin: Origin | None = None) -> dict[str, Any]:
    """The change for programs; the absent side of it is null."""
    facts: dict[str, Any] = {
        "path": pointer(change.parts),
        "change": change.change_type.value,
        "old": visible(change.parts, change.old_value),
        "new": visible(change.parts, change.new_value),
    }
    return facts if origin is None else {**facts, "origin": str(origin)}


def _fitted(change: Change, place: str, room: int | None) -> str:
    """The text of a change, with values as short as it takes to fit; the path is whole, for people copy it."""
    texts = [text(change, most=most) for most in ((_WIDEST, 16, 10) if room else (_WIDEST,))]
    return next((each for each in texts if not room or columns(each) + 2 + len(place) <= room), texts[-1])


def _place(origin: Origin | None) -> str:
    if origin is None:
        return ""
    return f"{origin.file}:{origin.line}" if origin.file and origin.line else str(origin)
