"""Counting reloads."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from confbus.durations import Durations
from confbus_publisher.manager.result import ReloadStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus_publisher.manager.result import ReloadResult

_REMEMBERED = 100
_FAILED = {ReloadStatus.FAILED, ReloadStatus.VALIDATION_FAILED}


def utc_now() -> datetime:
    """Now in UTC without a zone, as everywhere in the guide."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class ConfigMetrics:
    """One moment of a manager.

    A reload is the start, each call of `reload`, and each check by itself from which something new came: a version, a
    failure, or the end of one. `average_reload_time_ms` is that of the last 100. `last_reload_time` is the time, in
    UTC without a zone, of the last check of the sources that ran to its end, whether anything had changed or not.
    `reloads` counts them by status; `durations` has all of them.
    """

    total_reloads: int = 0
    successful_reloads: int = 0
    failed_reloads: int = 0
    rollbacks: int = 0
    average_reload_time_ms: float = 0.0
    last_reload_time: datetime | None = None
    config_sources_count: int = 0
    failing_sources_count: int = 0
    current_version: int | None = None
    reloads: Mapping[ReloadStatus, int] = field(default_factory=dict[ReloadStatus, int])
    durations: Durations = field(default_factory=Durations, compare=False, repr=False)


class Tally:
    """What is counted for `ConfigMetrics`. One thread counts, any reads."""

    def __init__(self) -> None:
        self.total = self.failed = self.rollbacks = 0
        self.checked_at: datetime | None = None
        self.reloads: Counter[ReloadStatus] = Counter(dict.fromkeys(ReloadStatus, 0))
        self.durations = Durations()
        self._times_ms: deque[float] = deque(maxlen=_REMEMBERED)
        self._told: tuple[object, ...] = ()

    @property
    def average_ms(self) -> float:
        times_ms = list(self._times_ms)
        return sum(times_ms) / len(times_ms) if times_ms else 0.0

    def checked(self) -> None:
        """A check of the sources ran to its end."""
        self.checked_at = utc_now()

    def is_news(self, result: ReloadResult) -> bool:
        """Whether `result` says something else than the last one."""
        return (result.version, result.errors) != self._told

    def count(self, result: ReloadResult) -> None:
        self._told = (result.version, result.errors)
        self.total += 1
        self.failed += result.status in _FAILED
        self.rollbacks += result.status is ReloadStatus.ROLLED_BACK
        self._times_ms.append(result.duration_ms)
        self.reloads[result.status] += 1
        self.durations.add(result.duration_ms / 1000)
