"""Who is there, as the store tells it at one moment: the publishers, the instances, and what each says of itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus_publisher import fleet

if TYPE_CHECKING:
    from confbus_publisher.fleet import Report
    from confbus_publisher.ledger import Store

SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Survey:
    """All readable reports, by instance name. `holder` is the active publisher, or empty; `now_ms` the store's time."""

    holder: str
    publishers: tuple[Report, ...]
    instances: tuple[Report, ...]
    now_ms: int

    @property
    def active(self) -> Report | None:
        """What the active publisher says of itself, if there is one and it reported."""
        return next((report for report in self.publishers if report.instance == self.holder), None)

    @property
    def standby(self) -> list[Report]:
        """The live publishers that wait for the lease."""
        return [each for each in self.publishers if each.instance != self.holder and self.is_live(each)]

    def is_live(self, report: Report) -> bool:
        return report.is_live(self.now_ms)

    def state(self, report: Report) -> str:
        """The word for where an instance stands, which is "silent" when it has not reported for long."""
        return report.state if self.is_live(report) else SILENT

    def states(self) -> dict[str, int]:
        """How many instances there are in each state, the most frequent first."""
        return dict(Counter(map(self.state, self.instances)).most_common())

    def elsewhere(self, version: int) -> list[str]:
        """The live instances that do not run `version`."""
        live = (report for report in self.instances if self.is_live(report))
        return [report.instance for report in live if report.running is None or report.running.version != version]


def survey(store: Store) -> Survey:
    """Ask `store` who is there. Raises `Unreachable`."""
    reports = fleet.parse_all(store.fleet())
    publishers = tuple(report for report in reports if report.role == "publisher")
    instances = tuple(report for report in reports if report.role == "subscriber")
    return Survey(store.lease(), publishers, instances, store.time_ms())
