"""Waiting until the fleet has applied a release: looks at the reports again and again, gently."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from confbus.errors import Malformed, Unreachable
from confbus.wire.manifest import EMPTY
from confbus_publisher.fleet import Reports
from confbus_publisher.quorum import ALL
from confbus_publisher.uptake import Awaited

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.wire.release import Release
    from confbus_publisher.ledger import Ledger, State, Store
    from confbus_publisher.quorum import Quorum
    from confbus_publisher.survey import Survey
    from confbus_publisher.uptake import Uptake

_LEAST_S, _MOST_S = 0.005, 0.5
_LATE = 10
"""A pause is a tenth of the time so far: so much the wait may be too long."""
_REST = 4
"""A pause is at least so many times what the look before it took, for a look at 5,000 reports is 3 MB."""


def wait_for_fleet(
    ledger: Ledger,
    before: Survey,
    state: State,
    *,
    timeout_s: float,
    quorum: Quorum = ALL,
    on_progress: Callable[[Uptake], object] = lambda _: None,
) -> Uptake:
    """Wait until the instances that were live in the survey `before` have applied what `state` stands for.

    Ends when `quorum` of them have, when all others have judged it and did not take it, when another release is in
    force in its place, or after `timeout_s`; look at `is_reached`. `on_progress` is told the first uptake, and each
    that is news. Redis being away is waited out. Needs no compare-and-set and changes nothing: whoever interrupts it
    leaves the release as it is.
    """
    expected = [report for report in before.instances if before.is_live(report)]
    awaited = Awaited(state.head, expected, changed=_changed(ledger.store, state.release), quorum=quorum)
    looking = _Looking(ledger.store, awaited, before)
    started = time.monotonic()
    told: Uptake | None = None
    while True:
        look_at = time.monotonic()
        uptake = looking.look()
        now = time.monotonic()
        if told is None or uptake != told:
            told = uptake
            on_progress(replace(uptake, took_ms=_ms(now - started)))
        if uptake.is_over or now - started >= timeout_s:
            setback = _successor(ledger.store, uptake.superseded_by) if uptake.superseded_by else uptake.setback
            return replace(uptake, setback=setback, took_ms=_ms(now - started))
        pause_s = min(max(_LEAST_S, (now - started) / _LATE, (now - look_at) * _REST), _MOST_S)
        time.sleep(min(pause_s, max(started + timeout_s - now, 0.0)))


class _Looking:
    """One look after the other at the store."""

    def __init__(self, store: Store, awaited: Awaited, before: Survey) -> None:
        self._store = store
        self._awaited = awaited
        self._reports = Reports()
        known = {report.instance: report for report in before.instances}
        self._last = awaited.look(known, there=known, now=awaited.head, now_ms=before.now_ms)

    def look(self) -> Uptake:
        """The uptake now; the last one, with what is wrong, while the store is away or its head damaged."""
        try:
            raw, now, now_ms = self._store.fleet(), self._store.head(), self._store.time_ms()
        except (Unreachable, Malformed) as error:
            return replace(self._last, setback=error.message.rstrip("."))
        reports = self._reports.read(raw)
        self._last = self._awaited.look(reports, there=raw.keys(), now=now, now_ms=now_ms)
        return self._last


def _changed(store: Store, release: Release) -> set[str]:
    """The sections in which a release differs from the one it replaced; all of them when that cannot be read."""
    parent = _kept(store, release.parent)
    return set((parent.manifest if parent else EMPTY).changes_to(release.manifest))


def _successor(store: Store, version: int) -> str:
    """Which release took the place of the one that was awaited, and why."""
    release = _kept(store, version)
    by = f" by {release.author}" if release and release.author else ""
    message = f" ({release.message})" if release and release.message else ""
    return f"version {version}{by}{message} took its place"


def _kept(store: Store, version: int) -> Release | None:
    try:
        return next(iter(store.releases([version])), None)
    except Unreachable:  # What was published is out; who asks for more shall not hear that it failed.
        return None


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
