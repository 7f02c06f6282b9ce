"""What a service manager is told: that the publisher is ready, that it lives, what it does, and that it leaves.

The protocol of sd_notify: lines of `NAME=value` in a datagram, to the socket that NOTIFY_SOCKET names.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import TYPE_CHECKING

from confbus.names import on_a_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus_publisher.vitals import Vitals

_log = logging.getLogger("confbus.publisher")
_PATIENCE_S = 1.0


class Service:
    """Tells the manager that started this process of `vitals`, as `environment` says where; nobody when it names no
    socket. A manager that does not listen is told again with the next `look`, and harms nothing.
    """

    def __init__(
        self, vitals: Vitals, environment: Mapping[str, str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._vitals = vitals
        self._clock = clock
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._watchdog_s = _watchdog_s(environment) if self._address else None
        self._fed_at: float | None = None
        self._is_ready = False
        self._status = ""
        self._trouble = ""

    def look(self) -> None:
        """Tell what is new: ready when it is at work for the first time, the status when it changed, and, while its
        loop turns, twice in the time of the watchdog that it lives."""
        if not self._address:
            return
        is_ready = self._is_ready or not self._vitals.hindrance
        status = on_a_line(self._vitals.summary)  # another line would be an order to the manager
        is_due = self._is_hungry and not self._vitals.ailment
        news = ["READY=1"] if is_ready and not self._is_ready else []
        news += [f"STATUS={status}"] if status != self._status else []
        news += ["WATCHDOG=1"] if is_due else []
        if news and self._tell(*news):
            self._is_ready, self._status = is_ready, status
            self._fed_at = self._clock() if is_due else self._fed_at

    def reload(self) -> None:
        """It reads its settings again, and is ready when it looks next."""
        if self._is_ready:
            now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            self._tell("RELOADING=1", f"MONOTONIC_USEC={now_us}")
            self._is_ready = False

    def leave(self) -> None:
        """It stops because it was told to, or cannot go on."""
        if self._address:
            self._tell("STOPPING=1")

    @property
    def _is_hungry(self) -> bool:
        if self._watchdog_s is None:
            return False
        return self._fed_at is None or self._clock() - self._fed_at >= self._watchdog_s / 2

    def _tell(self, *lines: str) -> bool:
        """True when the manager has it."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(_PATIENCE_S)
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                _log.warning("the service manager was not told: %s", error)
            return False
        self._trouble = ""
        return True


def _address(name: str) -> str:
    """A path, or, after an @, a name in the abstract namespace; nothing for what no datagram goes to."""
    return f"\0{name[1:]}" if name.startswith("@") else name if name.startswith("/") else ""


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """After how long a silent process is ended, if this one is meant."""
    time_us, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    is_meant = pid in {"", str(os.getpid())}
    return int(time_us) / 1e6 if is_meant and time_us.isdecimal() and int(time_us) else None
