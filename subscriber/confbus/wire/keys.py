"""The names of everything confbus keeps in Redis. Nothing else glues key names together."""

from __future__ import annotations

from confbus.errors import InvalidNamespace
from confbus.wire.record import record

_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-")
_MAX_LENGTH = 100


@record(frozen=True, slots=True)
class Keys:
    """The keys and the channel of one namespace; they share one hash tag, so one Cluster slot holds them.

    Raises `InvalidNamespace` for characters that would change what a key means.
    """

    namespace: str
    database: int = 0
    prefix: str = "confbus"

    def __post_init__(self) -> None:
        if not 0 < len(self.namespace) <= _MAX_LENGTH or not _ALLOWED.issuperset(self.namespace):
            raise InvalidNamespace(self.namespace)

    @property
    def head(self) -> str:
        return self._key("head")

    def release(self, version: int) -> str:
        return self._key(f"release:{version}")

    @property
    def blobs(self) -> str:
        return self._key("blobs")

    @property
    def log(self) -> str:
        return self._key("log")

    @property
    def quarantine(self) -> str:
        return self._key("quarantine")

    @property
    def overrides(self) -> str:
        return self._key("overrides")

    @property
    def approvals(self) -> str:
        return self._key("approvals")

    @property
    def guard(self) -> str:
        return self._key("guard")

    @property
    def holds(self) -> str:
        return self._key("holds")

    @property
    def lease(self) -> str:
        return self._key("lease")

    @property
    def fleet(self) -> str:
        return self._key("fleet")

    @property
    def notices(self) -> str:
        """The channel. The database number is in the name because pub/sub ignores SELECT."""
        return self._key(f"notices:{self.database}")

    def _key(self, name: str) -> str:
        return f"{self.prefix}:{{{self.namespace}}}:{name}"
