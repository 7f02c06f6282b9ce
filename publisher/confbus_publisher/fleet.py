"""What instances report about themselves. Hints, not truth: workers may write here, so every report is capped in
size, checked in shape, and believed only as far as `repair` says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confbus.status import MOST_OF_PATH, MOST_PATHS, Stand, interval_of
from confbus.wire.head import MAX_LINEAGE, PROTOCOL
from confbus_publisher.standing import MOST_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_REPORT_BYTES = 8 * 1024
SILENT_INTERVALS = 3
MAX_NUMBER = 10**15
MAX_JUDGES = 10_000
_ID = re.compile(r"[0-9a-f]{1,64}")


@dataclass(frozen=True, slots=True)
class Report:
    """One instance, as it last described itself; `at_ms` is the server's time as the instance last read it.

    `program` is what it is, with its version; `failing` are the sources, and whatever else fails, of a publisher."""

    instance: str
    state: str
    seen: Stand | None
    running: Stand | None
    error: str
    at_ms: int
    interval_s: float
    role: str = "subscriber"
    validators: int = 0
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    warnings: tuple[str, ...] = ()
    overlay: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    protocol: int = PROTOCOL
    program: str = ""
    failing: tuple[str, ...] = ()

    def is_live(self, now_ms: int) -> bool:
        """False when the instance was silent for three of its intervals, or reports from a future that nobody had."""
        return abs(now_ms - self.at_ms) <= SILENT_INTERVALS * self.interval_s * 1000


def parse(instance: str, raw: bytes) -> Report | None:
    """The report in `raw`, or None for anything that no instance sends."""
    if len(raw) > MAX_REPORT_BYTES or len(instance) > 200:
        return None
    try:
        facts: dict[str, Any] = json.loads(raw)
        labels: dict[str, Any] = facts.get("labels") or {}
        return Report(
            instance=instance,
            state=str(facts["state"])[:20],
            seen=_stand(facts.get("seen")),
            running=_stand(facts.get("running")),
            error=str(facts.get("error", ""))[:MOST_WORDS],
            at_ms=int(facts["at"]),
            interval_s=interval_of(facts["interval_s"]),
            role=str(facts.get("role", "subscriber"))[:20],
            validators=min(max(int(facts.get("validators", 0)), 0), MAX_JUDGES),
            warnings=tuple(str(text)[:300] for text in (facts.get("warnings") or ())[:10]),
            overlay=_paths(facts.get("overlay")),
            locked=_paths(facts.get("locked")),
            protocol=_number(facts.get("protocol", PROTOCOL)),
            program=str(facts.get("program", ""))[:50],
            failing=_paths(facts.get("failing")),
            labels={str(name)[:50]: str(label)[:100] for name, label in labels.items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None


def parse_all(raw: Mapping[str, bytes]) -> list[Report]:
    """Every report that can be read, by instance name."""
    reports = (parse(instance, raw[instance]) for instance in sorted(raw))
    return [report for report in reports if report is not None]


class Reports:
    """Reads the reports of a fleet again and again; what did not change is not parsed again."""

    def __init__(self) -> None:
        self._raw: Mapping[str, bytes] = {}
        self._known: dict[str, Report] = {}

    def read(self, raw: Mapping[str, bytes]) -> Mapping[str, Report]:
        """Every report of `raw` that can be read, by instance name and in the order of these."""
        news = {instance: report for instance, report in raw.items() if self._raw.get(instance) != report}
        kept = {name: report for name, report in self._known.items() if name in raw and name not in news}
        self._known = dict(sorted({**kept, **{report.instance: report for report in parse_all(news)}}.items()))
        self._raw = dict(raw)
        return self._known


def subscribers(reports: Iterable[Report], now_ms: int) -> list[Report]:
    """The live instances that read configuration (publishers report too)."""
    return [report for report in reports if report.role == "subscriber" and report.is_live(now_ms)]


def silent(raw: Mapping[str, bytes], reports: Iterable[Report], now_ms: int) -> list[str]:
    """Whom to drop of those in `raw`: silent for long, or not among the `reports` because nobody can read theirs."""
    live = {report.instance for report in reports if report.is_live(now_ms)}
    return [instance for instance in raw if instance not in live]


def _stand(facts: Any) -> Stand | None:
    if facts is None:
        return None
    return Stand(
        version=_number(facts["version"]),
        revision=_number(facts["revision"]),
        epoch=_id(facts["epoch"]),
        change=_id(facts["change"]),
        digest=_id(facts["digest"]),
        lineage=tuple((_id(epoch), _number(last)) for epoch, last in facts.get("lineage", ())[:MAX_LINEAGE]),
    )


def _paths(fact: Any) -> tuple[str, ...]:
    return tuple(str(path)[:MOST_OF_PATH] for path in (fact or ())[:MOST_PATHS])


def _number(fact: Any) -> int:
    """A repair counts on from here, so it must leave room to count."""
    if type(fact) is not int or not 0 <= fact < MAX_NUMBER:
        raise ValueError
    return fact


def _id(fact: Any) -> str:
    """A repair writes it into the head, where anything but an id would be the end of every reader."""
    if type(fact) is not str or not _ID.fullmatch(fact):
        raise ValueError
    return fact
