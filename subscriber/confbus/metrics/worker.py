"""The metrics of a subscriber, read off what it counts anyway."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING

from confbus.metrics.family import Family, Reading, still_true

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confbus.durations import Durations
    from confbus.status import Status
    from confbus.subscriber import Subscriber

STATES = ("waiting", "live", "reconnecting", "cached", "vetoing", "regressed", "lost", "outdated")

VERSION = Family("confbus_subscriber_version", "gauge", "Version that is read here; 0 before the first.")
SEEN_VERSION = Family(
    "confbus_subscriber_seen_version", "gauge", "Version that was judged last; not the one read here after a veto."
)
VERIFIED = Family(
    "confbus_subscriber_verified_timestamp_seconds",
    "gauge",
    "When the head was last read from Redis, in Unix time; absent: never. Its age is time() minus this.",
)
CONNECTED = Family("confbus_subscriber_connected", "gauge", "1 while changes are heard of, else 0.")
STATE = Family("confbus_subscriber_state", "gauge", "1 for the state it is in, 0 for the others.", ("state",))
LOCKED = Family("confbus_subscriber_locked_sections", "gauge", "Sealed sections for which there is no key here.")
APPLIES = Family("confbus_subscriber_applies_total", "counter", "Releases that were applied.")
APPLY_DURATION = Family(
    "confbus_subscriber_apply_duration_seconds",
    "histogram",
    "Time to prove, decode, judge and swap in a release, fetching it not included.",
)
VETOES = Family("confbus_subscriber_vetoes_total", "counter", "Releases that a view or a validator refused here.")
NOTICES = Family("confbus_subscriber_notices_total", "counter", "Notices of changes that were heard.")
HEALED = Family("confbus_subscriber_healed_total", "counter", "Changes found by polling that no notice announced.")
RECONNECTS = Family("confbus_subscriber_reconnects_total", "counter", "Connections that were lost, or made new.")
REGRESSIONS = Family("confbus_subscriber_regressions_total", "counter", "Times that Redis was found to have gone back.")
CALLBACK_DURATION = Family(
    "confbus_subscriber_callback_duration_seconds", "histogram", "Time that callbacks for changes took."
)
CALLBACK_ERRORS = Family("confbus_subscriber_callback_errors_total", "counter", "Callbacks for changes that raised.")

FAMILIES = (
    VERSION,
    SEEN_VERSION,
    VERIFIED,
    CONNECTED,
    STATE,
    LOCKED,
    APPLIES,
    APPLY_DURATION,
    VETOES,
    NOTICES,
    HEALED,
    RECONNECTS,
    REGRESSIONS,
    CALLBACK_DURATION,
    CALLBACK_ERRORS,
)


class Worker:
    """One subscriber. It is not kept alive; once it is closed or gone there is nothing to read."""

    def __init__(self, subscriber: Subscriber, name: str) -> None:
        self.namespace = subscriber.namespace
        self.name = name
        self.measures = subscriber.measure()
        self._subscriber = weakref.ref(subscriber)

    @property
    def is_over(self) -> bool:
        subscriber = self._subscriber()
        return subscriber is None or subscriber.is_closed

    def readings(self) -> Iterator[Reading]:
        subscriber = self._subscriber()
        if subscriber is not None:
            yield from still_true(self._all(subscriber), is_over=subscriber.is_closed)

    def _all(self, subscriber: Subscriber) -> Iterator[Reading]:
        status = subscriber.status()
        labels = {"namespace": self.namespace, **({"name": self.name} if self.name else {})}
        for state in STATES:
            yield Reading(STATE, {**labels, "state": state}, float(state == status.state))
        for family, value in self._values(status).items():
            yield Reading(family, labels, value)

    def _values(self, status: Status) -> Mapping[Family, float | Durations]:
        counts, measures = status.counts, self.measures
        values: dict[Family, float | Durations] = {
            VERSION: status.running.version if status.running else 0,
            SEEN_VERSION: status.seen.version if status.seen else 0,
            CONNECTED: float(status.is_connected),
            LOCKED: len(status.locked),
            APPLIES: counts.applied,
            APPLY_DURATION: measures.applies,
            VETOES: counts.vetoes,
            NOTICES: counts.notices,
            HEALED: counts.healed,
            RECONNECTS: counts.reconnects,
            REGRESSIONS: counts.regressions,
            CALLBACK_DURATION: measures.callbacks,
            CALLBACK_ERRORS: measures.callback_errors,
        }
        if status.verified_age_s != float("inf"):
            values[VERIFIED] = round(time.time() - status.verified_age_s, 3)
        return values
