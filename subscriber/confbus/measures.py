"""What one subscriber times for metrics, beside what it counts anyway; made only once somebody asks."""

from __future__ import annotations

import time

from confbus.durations import Durations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GAP_S = 0.25


class Beat:
    """Has numbers copied now and then, where other processes are to see them. `copies` are those who do it, if any."""

    def __init__(self) -> None:
        self.copies: tuple[Callable[[], object], ...] = ()
        self._copied_at = 0.0

    def beat(self, *, at_once: bool = False) -> None:
        """Have the numbers copied, unless they just were."""
        now = time.monotonic()
        if not self.copies or (now - self._copied_at < GAP_S and not at_once):
            return
        self._copied_at = now
        try:
            for copy in self.copies:
                copy()
        except Exception:  # a full disk, or a folder that is gone; it must not end the thread that others need
            import logging

            logging.getLogger("confbus").exception("the metrics of this process are not shown any more")
            self.copies = ()


class Measures(Beat):
    """How long applies and callbacks took, and how many callbacks raised. The thread that follows has it beat, about
    once a second."""

    def __init__(self) -> None:
        super().__init__()
        self.renew()

    def renew(self) -> None:
        """In a forked child: what the parent counted is the parent's."""
        self.applies = Durations()
        self.callbacks = Durations()
        self.callback_errors = 0
        self._copied_at = 0.0

    def called(self, took_s: float, *, has_failed: bool) -> None:
        """Count one call of a callback."""
        self.callbacks.add(took_s)
        self.callback_errors += has_failed
