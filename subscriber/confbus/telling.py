"""Who hears how a subscriber stands: the fleet, and an observer in the same process."""

from __future__ import annotations

from confbus.wire.head import PROTOCOL
from confbus.wire.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus.namespace import Namespace
    from confbus.status import Status


@record(frozen=True, slots=True)
class Telling:
    """What one subscriber tells, and whether it tells the fleet at all."""

    labels: Mapping[str, str]
    is_reporting: bool = True
    observer: Callable[[Status], object] | None = None

    def report(self, status: Status, namespace: Namespace, *, interval_s: float, judges: int) -> None:
        """Tell everybody; `judges` is how many had a say in what runs."""
        self.observe(status)
        if self.is_reporting:
            facts = status.report(self.labels, interval_s=interval_s, protocol=PROTOCOL, validators=judges)
            namespace.report(facts)

    def observe(self, status: Status) -> None:
        """Tell the observer alone."""
        if self.observer is None:
            return
        try:
            self.observer(status)
        except BaseException:  # a user's code; it must not end the thread that others need
            import logging

            logging.getLogger("confbus").exception("an observer of %s failed", status.namespace)
