"""What keeps publishers back, or may: the release on trial, and what people hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus_publisher.cli.hold import fact
from confbus_publisher.moments import age, iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.holds.hold import Hold
    from confbus_publisher.ledger import Store


class Stops:
    """The guard of the head and the holds of `store`, as they stand now."""

    def __init__(self, store: Store) -> None:
        from confbus.errors import Refused
        from confbus_publisher.holds.hold import parse_all

        self._trouble = ""
        self._holds: list[Hold] = []
        guard = store.guard()
        try:
            seen = store.holds()
            self._holds = parse_all(seen.texts)
            self._now_ms, change = seen.now_ms, seen.change
        except Refused as error:
            self._trouble = f"cannot be read: {error.reason}. {error.advice}".strip()
            self._now_ms, change = store.time_ms(), guard.change if guard else ""
        self._guard = guard if guard and guard.change == change else None

    def facts(self) -> dict[str, Any]:
        """For programs."""
        guard = self._guard
        about = {"version": guard.version, "back": guard.back, "until": iso(guard.until_ms)} if guard else None
        return {
            "guard": about and {**about, "vetoes": str(guard.vetoes) if guard else ""},
            "holds": None if self._trouble else [fact(hold) for hold in self._holds],
        }

    def rows(self) -> Iterator[tuple[str, str]]:
        """For people: a name for the margin, and a line."""
        guard = self._guard
        if guard:
            left = "its time is over" if guard.is_over(self._now_ms) else f"{age(self._now_ms, guard.until_ms)} left"
            yield "guard", f"version {guard.version} is watched, {left}; else back to version {guard.back}"
        if self._trouble:
            yield "holds", self._trouble
        for number, hold in enumerate(self._holds):
            ended = " (ended)" if hold.has_ended(self._now_ms) else ""
            yield "" if number else "holds", f"{hold}{ended}"
