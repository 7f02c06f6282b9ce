"""The metrics of a publisher, read off what it counts, and off where it stands."""

from __future__ import annotations

import time
import weakref
from collections import Counter
from typing import TYPE_CHECKING

from confbus.metrics import worker
from confbus.metrics.family import Family, Reading, still_true
from confbus_publisher import standing
from confbus_publisher.decision import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from confbus.durations import Durations
    from confbus_publisher.fleet import Report
    from confbus_publisher.publisher import Publisher

MOST_SERIES, OTHER = 50, "other"
STATES = (
    standing.STARTING,
    standing.STANDBY,
    Step.IN_STEP.value,
    Step.HELD.value,
    Step.DIVERGED.value,
    standing.REFUSED,
    standing.LOST,
    standing.UNREACHABLE,
)

STATE = Family("confbus_publisher_state", "gauge", "1 for the state it is in, 0 for the others.", ("state",))
LEASE = Family("confbus_lease_held", "gauge", "1 for the active publisher, 0 for one that stands by.", gone=0.0)
RELOADS = Family(
    "confbus_reloads_total",
    "counter",
    "Looks at the sources: changed and unchanged, or failed when they make no document.",
    ("outcome",),
)
RELOAD_DURATION = Family(
    "confbus_reload_duration_seconds", "histogram", "Time to load, merge, expand and encode what had changed."
)
SOURCES = Family("confbus_sources", "gauge", "Sources there are.")
SOURCES_HEALTHY = Family(
    "confbus_sources_healthy", "gauge", "Sources that could be read when they were last looked at."
)
SOURCE_HEALTHY = Family(
    "confbus_source_healthy",
    "gauge",
    "1 for a source that could be read, 0 while its last good values stay.",
    ("source",),
)
SOURCE_READ = Family(
    "confbus_source_read_timestamp_seconds",
    "gauge",
    "When a source was last read, in Unix time; absent: never. Its age is time() minus this.",
    ("source",),
)
CHECKS_FAILED = Family(
    "confbus_checks_failed_total", "counter", "Contents that a rule refused; the same again is counted once.", ("rule",)
)
PUBLISHES = Family("confbus_publishes_total", "counter", "Attempts to publish, by what came of them.", ("outcome",))
PUBLISH_DURATION = Family(
    "confbus_publish_duration_seconds", "histogram", "Time to check, sign and commit a release that went out."
)
VERSION = Family("confbus_version", "gauge", "Version that is in force, as far as this publisher knows.")
DOCUMENT = Family("confbus_document_bytes", "gauge", "Size of the document in force.")
SECTIONS = Family("confbus_document_sections", "gauge", "Sections of the document in force.")
SECTIONS_HELD = Family("confbus_sections_held", "gauge", "Sections that must not go out again by themselves.")
SECTION_HELD = Family("confbus_section_held", "gauge", "1 for each section that is held.", ("section",), gone=0.0)
FLEET = Family(
    "confbus_fleet_instances",
    "gauge",
    "Live instances by the version they run and their state; only the active publisher has it.",
    ("version", "state"),
    is_endless=True,
)
LAGGARDS = Family("confbus_fleet_laggards", "gauge", "Live instances that run another content than the one in force.")
UPTAKE = Family(
    "confbus_uptake_duration_seconds",
    "histogram",
    "From the publish to the report of an instance that it runs the release, by the server's clock.",
)
GUARDS = Family("confbus_guards_total", "counter", "Guards that ended, by what came of them.", ("outcome",))

FAMILIES = (
    STATE,
    LEASE,
    RELOADS,
    RELOAD_DURATION,
    SOURCES,
    SOURCES_HEALTHY,
    SOURCE_HEALTHY,
    SOURCE_READ,
    CHECKS_FAILED,
    PUBLISHES,
    PUBLISH_DURATION,
    VERSION,
    DOCUMENT,
    SECTIONS,
    SECTIONS_HELD,
    SECTION_HELD,
    FLEET,
    LAGGARDS,
    UPTAKE,
    GUARDS,
)


class Publishing:
    """One publisher. It is not kept alive; once it has ended or is gone there is nothing to read."""

    def __init__(self, publisher: Publisher, namespace: str, name: str) -> None:
        self.namespace = namespace
        self.name = name
        self._publisher = weakref.ref(publisher)

    @property
    def is_over(self) -> bool:
        publisher = self._publisher()
        return publisher is None or publisher.measures.is_over

    def readings(self) -> Iterator[Reading]:
        publisher = self._publisher()
        if publisher is not None:
            yield from still_true(self._all(publisher), is_over=publisher.measures.is_over)

    def _all(self, publisher: Publisher) -> Iterator[Reading]:
        texts = {"namespace": self.namespace, "name": self.name}
        labels = {label: text for label, text in texts.items() if text}
        readings = (*_standing(publisher), *_sources(publisher), *_document(publisher), *_fleet(publisher))
        for family, own, value in readings:
            yield Reading(family, {**labels, **own}, value)


_Own = tuple[Family, "Mapping[str, str]", "float | Durations"]


def _standing(publisher: Publisher) -> Iterator[_Own]:
    now, measures = publisher.standing, publisher.measures
    yield from ((STATE, {"state": state}, float(state == now.state)) for state in STATES)
    yield LEASE, {}, float(now.is_active)
    yield from ((PUBLISHES, {"outcome": outcome}, count) for outcome, count in measures.publishes.copy().items())
    yield PUBLISH_DURATION, {}, measures.publish_times
    yield from ((CHECKS_FAILED, {"rule": rule}, count) for rule, count in measures.checks_failed.copy().items())
    guards = {"passed": now.passed, "rolled back": now.rolled_back, "failed": now.failed}
    yield from ((GUARDS, {"outcome": outcome}, count) for outcome, count in guards.items())


def _sources(publisher: Publisher) -> Iterator[_Own]:
    measures, failures = publisher.measures, publisher.inputs.failures
    yield from ((RELOADS, {"outcome": outcome}, count) for outcome, count in measures.reloads.copy().items())
    yield RELOAD_DURATION, {}, measures.reload_times
    names = dict.fromkeys([*(source.name for source in publisher.inputs.sources), *failures])
    yield SOURCES, {}, len(names)
    yield SOURCES_HEALTHY, {}, sum(name not in failures and name in measures.read_at for name in names)
    passed_s = time.time() - measures.clock()
    for name in names:
        read_at = measures.read_at.get(name)
        yield SOURCE_HEALTHY, {"source": name}, float(name not in failures and read_at is not None)
        if read_at is not None:
            yield SOURCE_READ, {"source": name}, round(read_at + passed_s, 3)


def _document(publisher: Publisher) -> Iterator[_Own]:
    state, held = publisher.ledger.state, publisher.measures.held if publisher.standing.is_active else ()
    if state is not None:
        yield VERSION, {}, state.head.version
        yield DOCUMENT, {}, state.release.size
        yield SECTIONS, {}, len(state.release.manifest.sections)
    yield SECTIONS_HELD, {}, len(held)
    yield from ((SECTION_HELD, {"section": section}, 1) for section in held)


def _fleet(publisher: Publisher) -> Iterator[_Own]:
    """What the active publisher heard last; one that stands by does not listen."""
    measures, state = publisher.measures, publisher.ledger.state
    yield UPTAKE, {}, measures.uptake_times.durations
    if not publisher.standing.is_active:
        return
    newest = state.head.version if state is not None else 0
    for (version, word), count in _tally(measures.live, newest).items():
        yield FLEET, {"version": version, "state": word}, count
    if state is not None:
        digest = state.head.digest
        yield LAGGARDS, {}, sum(report.running is None or report.running.digest != digest for report in measures.live)


def _tally(live: Sequence[Report], newest: int) -> Mapping[tuple[str, str], int]:
    """How many instances there are by version and state. Any worker may report what it likes, and another thing each
    time: what there is not, and what goes beyond what there may be, is counted as `other`, lest it fill the memory of
    whoever scrapes."""
    counts = Counter(
        (_version(report, newest), report.state if report.state in worker.STATES else OTHER) for report in live
    )
    kept = dict(counts.most_common(MOST_SERIES))
    rest = counts.total() - sum(kept.values())
    return kept | ({(OTHER, OTHER): rest + kept.get((OTHER, OTHER), 0)} if rest else {})


def _version(report: Report, newest: int) -> str:
    if report.running is None:
        return "none"
    return str(report.running.version) if report.running.version <= newest else OTHER
