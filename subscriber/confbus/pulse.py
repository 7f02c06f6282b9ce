"""Whether the subscription's connection lives: when to make it, when to ask it for a sign of life. Pure, as `follower`.

Nothing else would notice a connection that died without a word: the health check of redis-py never looks at the answer.
"""

from __future__ import annotations

from confbus.events import Action, Connect, Ping
from confbus.wire.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from confbus.chance import Chance
    from confbus.timing import Timing


@record(slots=True)
class Pulse:
    """The connection, as far as is known. After a failure it is made again after a random part of a wait that doubles
    each time, until the server gives a sign of life on a connection that it had acknowledged."""

    timing: Timing
    rng: Chance
    is_acked: bool = False
    _heard_at: float = 0.0
    _pinged_at: float = 0.0
    _connect_at: float = float("-inf")
    _backoff_s: float = 0.0

    def wake_at(self) -> float:
        """When `beat` has something to do."""
        if not self.is_acked:
            return self._connect_at
        return min(self._ping_at(), self._heard_at + self.timing.silence_s)

    def acked(self, now: float) -> None:
        self.is_acked = True
        self._heard_at = self._pinged_at = now

    def heard(self, now: float) -> None:
        """A sign of life came."""
        self._heard_at = now
        self._backoff_s = 0.0

    def lost(self, now: float) -> None:
        """The connection failed, or could not be made."""
        self.is_acked = False
        longer_s = max(self._backoff_s * 2, self.timing.backoff_s)
        self._backoff_s = min(longer_s, self.timing.max_backoff_s)
        self._connect_at = now + self.rng.uniform(0, self._backoff_s)

    def renew(self, now: float) -> list[Action]:
        """Make the connection anew, whatever it is; again if nothing comes of that."""
        self.is_acked = False
        self._connect_at = now + self.timing.silence_s
        return [Connect()]

    def is_silent(self, now: float) -> bool:
        """True when a connection that was acknowledged gave no sign of life for too long."""
        return self.is_acked and self._heard_at + self.timing.silence_s <= now

    def beat(self, now: float) -> list[Action]:
        """What is due now."""
        if not self.is_acked:
            return self.renew(now) if self._connect_at <= now else []
        if self._ping_at() > now:
            return []
        self._pinged_at = now
        return [Ping()]

    def _ping_at(self) -> float:
        return max(self._heard_at, self._pinged_at) + self.timing.ping_s
