"""Who hears how a subscriber stands: the fleet, an observer in the same process, and the log of the application."""

from __future__ import annotations

import sys

from confbus.wire.head import PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus.namespace import Namespace
    from confbus.status import Status

_REFUSING = {"vetoing", "regressed", "lost", "outdated"}


class Telling:
    """What one subscriber tells, and whether it tells the fleet and the log at all. For one thread."""

    __slots__ = ("_labels", "_logged", "_observer", "is_reporting")

    def __init__(
        self,
        labels: Mapping[str, str],
        *,
        is_reporting: bool = True,
        observer: Callable[[Status], object] | None = None,
    ) -> None:
        self.is_reporting = is_reporting
        self._labels = labels
        self._observer = observer
        self._logged: tuple[object, ...] = ()

    def report(self, status: Status, namespace: Namespace, *, interval_s: float, judges: int) -> None:
        """Tell everybody; `judges` is how many had a say in what runs."""
        self.observe(status)
        if self.is_reporting:
            self._log(status)
            facts = status.report(self._labels, interval_s=interval_s, protocol=PROTOCOL, validators=judges)
            namespace.report(facts)

    def observe(self, status: Status) -> None:
        """Tell the observer alone."""
        if self._observer is None:
            return
        try:
            self._observer(status)
        except BaseException:  # a user's code; it must not end the thread that others need
            import logging

            logging.getLogger("confbus").exception("an observer of %s failed", status.namespace)

    def _log(self, status: Status) -> None:
        """A line when it stands elsewhere than in the last one: a warning when it does not take what is in Redis."""
        version = status.running.version if status.running else None
        is_refusing = status.state in _REFUSING
        now = status.state, version, status.error if is_refusing else ""
        logging = sys.modules.get("logging")  # an application that never loaded it reads no log
        if now == self._logged or logging is None:
            return
        self._logged = now
        facts = {
            "namespace": status.namespace,
            "instance": status.instance,
            "state": status.state,
            "version": version,
            "why": status.error,
        }
        try:
            level = logging.WARNING if is_refusing else logging.INFO
            logging.getLogger("confbus").log(level, "%s: %s", status.namespace, status, extra=facts)
        except Exception:  # noqa: BLE001, S110 — a handler of the application; whom could one tell?
            pass
