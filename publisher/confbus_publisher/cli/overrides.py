"""Overrides and approvals, for people and programs; values that look like secrets are hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus_publisher.cli.output import say
from confbus_publisher.cli.values import brief, visible
from confbus_publisher.moments import age, iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.ledger import Store
    from confbus_publisher.overrides.approval import Approval
    from confbus_publisher.overrides.override import Override
    from confbus_publisher.sources.overrides import OverridesSource

_MOST = 10
_SHORT = 12


def on_top(store: Store) -> OverridesSource:
    """The overrides in force, as the source that goes on top of all others; what is wrong with some is told.

    Raises `Refused` when they cannot be read: who publishes without them takes them away.
    """
    source, _ = _read(store)
    for problem in source.problems.values():
        say(problem)
    return source


class Amended:
    """What people put beside the releases of `store`. What cannot be read is told like everything else."""

    def __init__(self, store: Store) -> None:
        from confbus.errors import Refused
        from confbus_publisher.overrides.approval import parse_all

        self._known: tuple[Override, ...] = ()
        self._problems: dict[str, str] = {}
        self._approvals: list[Approval] = []
        self._now_ms = 0
        self._trouble = ""
        try:
            source, self._now_ms = _read(store)
            self._known, self._problems = source.known, source.problems
            self._approvals = parse_all(store.approvals())
        except Refused as error:
            self._trouble = f"overrides and approvals cannot be read: {error.reason}. {error.advice}".strip()

    def facts(self) -> dict[str, Any]:
        """For programs."""
        ignored = [{"path": name, "problem": problem} for name, problem in sorted(self._problems.items())]
        return {
            "overrides": None if self._trouble else [*map(self._fact, self._known), *ignored],
            "approvals": None if self._trouble else [_approval_fact(approval) for approval in self._approvals],
        }

    def rows(self) -> Iterator[tuple[str, str]]:
        """For people: a name for the margin, and a line."""
        texts = [self._trouble] if self._trouble else []
        texts += [*map(self._text, self._known), *self._problems.values()]
        for number, text in enumerate(texts[:_MOST]):
            yield "" if number else "overrides", text
        if len(texts) > _MOST:
            yield "", f"and {len(texts) - _MOST} more; --output json has all"
        for number, approval in enumerate(self._approvals):
            yield "" if number else "approved", f"{approval.digest[:_SHORT]}, {approval.by}: {approval.reason}"

    def _fact(self, override: Override) -> dict[str, Any]:
        return {
            "path": override.name,
            "value": visible(override.path, override.value),
            "until": None if override.until_ms is None else iso(override.until_ms),
            "has_ended": override.has_ended(self._now_ms),
            "at": iso(override.at_ms),
            "by": override.by,
            "reason": override.reason,
            "problem": None,
        }

    def _text(self, override: Override) -> str:
        ends = "until it is unset"
        if override.until_ms is not None:
            ends = f"{age(self._now_ms, override.until_ms)} left"
        if override.has_ended(self._now_ms):
            ends = "ended, and not out yet"
        by, reason = override.by and f", {override.by}", override.reason and f": {override.reason}"
        return f"{override.name} = {brief(override.path, override.value)}, {ends}{by}{reason}"


def _read(store: Store) -> tuple[OverridesSource, int]:
    from confbus_publisher.sources.overrides import OverridesSource

    seen = store.overrides()
    return OverridesSource(seen.texts, at_ms=seen.now_ms), seen.now_ms


def _approval_fact(approval: Approval) -> dict[str, Any]:
    return {"digest": approval.digest, "at": iso(approval.at_ms), "by": approval.by, "reason": approval.reason}
