"""Calling a function of somebody else that may never come back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class GuardedCall:
    """Calls one function, each time on a thread of its own, and waits so long.

    A thread cannot be ended from outside. One that is stuck is left behind, and while it is, the function is not
    called again: however often it is tried, one thread is lost at most.
    """

    def __init__(self, name: str, deadline_s: float) -> None:
        self._name = name
        self._deadline_s = deadline_s
        self._stuck: threading.Thread | None = None

    def call(self, function: Callable[[], Any]) -> tuple[BaseException | None, bool]:
        """What was raised, if anything, and whether it is still at it. Exits and interrupts count as raised."""
        if self._stuck is not None and self._stuck.is_alive():
            return None, True
        outcome: list[BaseException | None] = []

        def run() -> None:
            try:
                function()
                outcome.append(None)
            except BaseException as error:  # noqa: BLE001  # a callback of the user, also one that calls sys.exit
                outcome.append(error)

        thread = threading.Thread(target=run, name=f"confbus-{self._name}", daemon=True)
        thread.start()
        thread.join(self._deadline_s)
        if not outcome:
            self._stuck = thread
            return None, True
        self._stuck = None
        return outcome[0], False
