"""Whether this publisher is the active one, as far as it can know.

The lease spares work and noise; safety never depends on it. It runs out at the server. Here it counts from before it
was asked for, by a clock that nobody sets: so nobody takes himself for active for longer than he may.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus_publisher.ledger import Ledger

_log = logging.getLogger("confbus.publisher")
_MARGIN_S = 0.05


class Lease:
    """The claim of the publisher `identity`.

    `holder` is who was active when it was last asked for; `due_in_s` is in how many seconds to ask again: to keep it,
    or to have it as soon as it runs out.
    """

    def __init__(
        self, ledger: Ledger, identity: str, *, ttl_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.holder = ""
        self.ttl_s = ttl_s
        self.due_in_s = ttl_s / 3
        self._ledger = ledger
        self._identity = identity
        self._clock = clock
        self._until = clock()

    @property
    def is_mine(self) -> bool:
        return self.holder == self._identity and self._clock() < self._until

    def take(self) -> bool:
        """Become or stay active if nobody else is; True when that is so. Raises `Unreachable`."""
        was_mine, until = self.is_mine, self._clock() + self.ttl_s
        self.holder = self._ledger.store.take_lease(self._identity, int(self.ttl_s * 1000))
        self._until, self.due_in_s = until, self.ttl_s / 3
        if self.holder != self._identity:
            self.due_in_s = min(self.due_in_s, self._ledger.store.lease_ends_in_s() + _MARGIN_S)
        elif not was_mine:
            _log.info("active", extra={"is_active": True})
        return self.holder == self._identity

    def give_up(self) -> None:
        """Let another one become active at once. Without the server it does by itself when the lease runs out."""
        word, self.holder = "giving up the lease" if self.holder == self._identity else "telling the fleet", ""
        try:
            self._ledger.store.drop_lease(self._identity)
            self._ledger.store.forget([self._identity])
        except ConfBusError as error:
            _log.warning("left without %s: %s", word, error)
