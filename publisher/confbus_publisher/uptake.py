"""How far a release has come in the fleet. Pure: from who was there before, and what everybody reports now.

Reports are hints that any worker may write, for others too. So a report counts only while it is live, and only when it
says that this very content is running; who is awaited is settled before the release goes out, and nobody is added
later. What a forged report can still do is to speak for another instance: for one, for as long as it is there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus.rule import Verdict, comes_after, judge
from confbus_publisher.quorum import ALL, Quorum

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from confbus.status import Stand
    from confbus.wire.head import Head
    from confbus_publisher.fleet import Report

SILENT, VETOING, LOCKED = "silent", "vetoing", "locked"
_PROMISING = {"live", "waiting", SILENT}
"""States in which the release may be on its way."""


@dataclass(frozen=True, slots=True)
class Laggard:
    """An awaited instance that has not applied the release, where it stands and why. `running` and `seen` are
    versions. `has_answered`: it has judged the release, and nothing more will come of that."""

    instance: str
    state: str
    reason: str
    running: int | None
    seen: int | None
    has_answered: bool = False


@dataclass(frozen=True, slots=True)
class Uptake:
    """Where a fleet stands with a release.

    `applied` and `laggards` are those who were live when it went out, but for the `vanished`, who left of themselves;
    `appeared` came later. `judges` is the smallest and the largest number of views and validators of those that
    applied it; `remarks` name who applied it otherwise than one would think. `superseded_by` is the version that is in
    force in its place; `setback` says what keeps it from being counted on.
    """

    version: int
    needed: int
    applied: tuple[str, ...] = ()
    laggards: tuple[Laggard, ...] = ()
    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    judges: tuple[int, int] = (0, 0)
    remarks: tuple[str, ...] = ()
    superseded_by: int | None = None
    setback: str = ""
    took_ms: int = 0

    @property
    def expected(self) -> int:
        """How many instances it is about."""
        return len(self.applied) + len(self.laggards)

    @property
    def is_reached(self) -> bool:
        """Whether enough of them have applied it, and it is in force."""
        return not self.setback and self.superseded_by is None and len(self.applied) >= self.needed

    @property
    def is_over(self) -> bool:
        """Whether waiting changes nothing any more."""
        have_answered = all(laggard.has_answered for laggard in self.laggards)
        return self.is_reached or self.superseded_by is not None or (have_answered and not self.setback)

    def states(self) -> dict[str, int]:
        """How many laggards there are in each state, the most frequent first; the word for those that may just be a
        little late is "to come"."""
        words = ("to come" if laggard.state in _PROMISING else laggard.state for laggard in self.laggards)
        return dict(Counter(words).most_common())


class Awaited:
    """Follows one release through the fleet. `expected` is what the live instances reported before it went out,
    `changed` the sections that it changed."""

    def __init__(
        self, head: Head, expected: Iterable[Report], *, changed: Collection[str] = (), quorum: Quorum = ALL
    ) -> None:
        self.head = head
        self._before = {report.instance: report for report in expected}
        self._newest = dict(self._before)
        self._gone: dict[str, bool] = {}
        self._changed = changed
        self._quorum = quorum

    def look(self, reports: Mapping[str, Report], *, there: Collection[str], now: Head | None, now_ms: int) -> Uptake:
        """The uptake as of the `reports` that can be read, `there` being the names of all, and the head as it is."""
        self._take(reports, there=there, now_ms=now_ms, is_whole=now is not None and now.epoch == self.head.epoch)
        applied: list[Report] = []
        laggards: list[Laggard] = []
        vanished: list[str] = []
        for instance, report in self._newest.items():
            has_left = self._gone.get(instance, False)
            if self._is_applied(report, now_ms=now_ms, has_left=has_left):
                applied.append(report)
            elif has_left:
                vanished.append(instance)
            else:
                laggards.append(self._laggard(report, is_readable=instance in reports, now_ms=now_ms))
        expected, judges = len(applied) + len(laggards), [report.validators for report in applied] or [0]
        live = (report for report in reports.values() if report.role == "subscriber" and report.is_live(now_ms))
        superseded_by, setback = self._fate(now)
        return Uptake(
            version=self.head.version,
            needed=self._quorum.needed(expected),
            applied=tuple(report.instance for report in applied),
            laggards=tuple(laggards),
            appeared=tuple(report.instance for report in live if report.instance not in self._before),
            vanished=tuple(vanished),
            judges=(min(judges), max(judges)),
            remarks=tuple(remark for report in applied for remark in self._remarks(report)),
            superseded_by=superseded_by,
            setback=setback,
        )

    def _take(self, reports: Mapping[str, Report], *, there: Collection[str], now_ms: int, is_whole: bool) -> None:
        """Keep everybody's newest word. Who is gone has left of themselves, unless a publisher dropped them because
        they were silent for long, or the server lost their report with the rest, and so is not `is_whole`."""
        for instance, known in self._newest.items():
            if instance in there:
                self._gone.pop(instance, None)
                self._newest[instance] = reports.get(instance, known)
            elif instance not in self._gone:
                self._gone[instance] = is_whole and known.is_live(now_ms)

    def _is_applied(self, report: Report, *, now_ms: int, has_left: bool) -> bool:
        is_heard = has_left or report.is_live(now_ms)
        return is_heard and self._is_this(report.running) and not self._locked(report)

    def _is_this(self, stand: Stand | None) -> bool:
        """Whether a stand is of this release: at its change, or at a later one that left the content as it is."""
        head = self.head
        return stand is not None and stand.digest == head.digest and self._is_reached(stand)

    def _is_reached(self, stand: Stand) -> bool:
        return stand.change == self.head.change or comes_after(stand, self.head)

    def _locked(self, report: Report) -> list[str]:
        """The sections for which it has no key, of those that this release changed."""
        return [name for name in report.locked if any(_is_within(changed, name) for changed in self._changed)]

    def _laggard(self, report: Report, *, is_readable: bool, now_ms: int) -> Laggard:
        state, reason, has_answered = self._finding(report, is_readable=is_readable, now_ms=now_ms)
        running, seen = _version(report.running), _version(report.seen)
        return Laggard(report.instance, state, reason, running, seen, has_answered)

    def _finding(self, report: Report, *, is_readable: bool, now_ms: int) -> tuple[str, str, bool]:
        """Its state, the reason, and whether it has answered."""
        age_s = abs(now_ms - report.at_ms) // 1000
        if not is_readable:
            return SILENT, "its report is gone, or cannot be read", False
        if not report.is_live(now_ms):
            return SILENT, f"nothing was heard of it for {age_s} s", False
        if self._is_this(report.running):
            return LOCKED, f"it has no key for {', '.join(self._locked(report))}", True
        if report.state == VETOING and self._is_this(report.seen):
            return VETOING, report.error or "it gives no reason", True
        if report == self._before[report.instance]:
            return SILENT, f"there is no word of it since the wait began; the last one was {age_s} s ago", False
        at = f"it is still at version {report.running.version}" if report.running else "it has no configuration yet"
        return report.state, report.error or at, False

    def _remarks(self, report: Report) -> Iterable[str]:
        fewer, before = report.validators, self._before[report.instance].validators
        if fewer < before:
            yield f"{report.instance} applied it with {fewer} of the {before} views and validators that it had"
        if report.locked:
            yield f"{report.instance} applied it, locked: {', '.join(report.locked)}"

    def _fate(self, now: Head | None) -> tuple[int | None, str]:
        """What became of the release on the server: the version in its place, or what is wrong."""
        verdict = judge(self.head, now)
        if now is None or verdict is Verdict.REGRESSED:
            return None, "the server has lost it" if now is None else f"the server went back to version {now.version}"
        return (None if now.digest == self.head.digest else now.version), ""


def _version(stand: Stand | None) -> int | None:
    return stand.version if stand else None


def _is_within(section: str, name: str) -> bool:
    return section == name or section.startswith((f"{name}.", f"{name}["))
