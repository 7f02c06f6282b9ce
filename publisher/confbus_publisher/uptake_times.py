"""How long releases take to the fleet: from the publish to the report of each instance that it runs there.

Both times are the server's, so no clock of a machine matters. Who is waited for was live before the release went out;
nobody is added, and what a later release overtakes is not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.durations import Durations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus_publisher.fleet import Report
    from confbus_publisher.ledger import State

_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class UptakeTimes:
    """The durations of one publisher. For its thread alone, but for `durations`."""

    def __init__(self) -> None:
        self.durations = Durations(_BOUNDS_S)
        self._release: tuple[str, int] | None = None
        self._live: frozenset[str] = frozenset()
        self._awaited: set[str] = set()

    def forget(self) -> None:
        """Begin anew: nobody knows who was there before the next release."""
        self._release, self._live, self._awaited = None, frozenset(), set()

    def heard(self, live: Sequence[Report], state: State) -> None:
        """Take what the `live` instances report while `state` is in force."""
        release = state.release
        identity = (state.head.epoch, release.version)
        if identity != self._release:
            self._awaited = set(self._live) if self._release else set()
            self._release = identity
        self._live = frozenset(report.instance for report in live)
        if not self._awaited:
            return
        for report in live:
            running = report.running
            if report.instance not in self._awaited or running is None:
                continue
            if (running.version, running.digest) == (release.version, release.digest):
                self._awaited.discard(report.instance)
                if report.at_ms >= release.at_ms:  # else it does not know the time
                    self.durations.add((report.at_ms - release.at_ms) / 1000)
