"""When a follower reports to the fleet: at once when something changed, but not too often; and again after a while."""

from __future__ import annotations

from confbus.wire.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from confbus.timing import Timing

_NEVER = float("inf")


@record(slots=True)
class Reporting:
    """What was reported last, and when the next report is due: `at`, in monotonic seconds."""

    timing: Timing
    at: float = _NEVER
    _told: tuple[object, ...] = ()
    _told_at: float = -_NEVER

    def is_due_for(self, news: tuple[object, ...], now: float) -> bool:
        """True when `news` shall be reported now; when they only must wait a moment, `at` is put forward."""
        if news == self._told:
            return False
        if now - self._told_at >= self.timing.report_gap_s:
            return True
        self.at = min(self.at, self._told_at + self.timing.report_gap_s)
        return False

    def reported(self, news: tuple[object, ...], now: float, *, is_stuck: bool) -> None:
        """Carry on after a report. Who is stuck repeats it with each poll: the loss may have taken the report as well,
        and a publisher that has to mend it must hear everybody."""
        self._told, self._told_at = news, now
        self.at = now + (self.timing.poll_s if is_stuck else self.timing.report_s)
