"""The way to a master by its Sentinels: asked for each new connection, and again while one is used.

A master that was paused and comes back takes itself for the master until a Sentinel tells it otherwise, ten seconds
later as a rule. Only the Sentinels know better, so whoever reads from it asks them.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from confbus.connection import ask
from confbus.link import reason_of
from confbus.relay import Relay
from confbus.server import open_server
from confbus.wire.frozen import is_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.connection import Connection
    from confbus.topology import Place, Topology

_PATIENCE_S = 1.0
"""For one Sentinel. They are small, near, and several."""
_TRUST_S = 1.0
"""How long a master is the master without asking again."""


_BLIND_S = 10.0
"""As long when no Sentinel answers: they may be away while the master is well."""


class Sentinels:
    """The Sentinels of one service, of which any that answers will do; the one that did is asked first next time."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._order = topology.places

    def open_master(self, name: str) -> Connection:
        """A connection to the master, which says itself that it is one. Raises `ConnectionError` when there is none."""
        return self._found(name)

    def master(self) -> Place:
        """Where the master is, which says itself that it is one. Raises as `open_master`."""
        with closing(self._found("")) as connection:
            return connection.place

    def still_name(self, place: Place) -> bool:
        """Whether the master is where it was; so it is as long as no Sentinel answers."""
        for sentinel, master in self.answers([]):
            sentinel.close()
            return master == place
        return True

    def named_by(self, sentinel: Connection) -> Place | None:
        """The master that this Sentinel names; None when it knows none."""
        [answer] = ask(sentinel, ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._topology.service))
        return (answer[0].decode(), int(answer[1])) if is_list(answer) else None

    def answers(self, reasons: list[str]) -> Iterator[tuple[Connection, Place]]:
        """What each Sentinel names, with the connection to it, which is the caller's; why others name nothing goes to
        `reasons`."""
        for place in self._order:
            who = f"Sentinel {place[0]}:{place[1]}"
            try:
                sentinel = open_server(self._topology.sentinel_url(place), "", timeout_s=_PATIENCE_S)
            except Exception as error:  # noqa: BLE001 — the next one may be better
                reasons.append(f"{who}: {reason_of(error)}")
                continue
            try:
                master = self.named_by(sentinel)
            except Exception as error:  # noqa: BLE001 — as above
                master = None
                reasons.append(f"{who}: {reason_of(error)}")
            else:
                if master is None:
                    reasons.append(f"{who} does not know it")
            if master is None:
                sentinel.close()
                continue
            self._order = (place, *(other for other in self._order if other != place))
            yield sentinel, master

    def _found(self, name: str) -> _MasterConnection:
        reasons: list[str] = []
        tried: set[Place] = set()
        for sentinel, master in self.answers(reasons):
            if master not in tried:
                tried.add(master)
                try:
                    return _MasterConnection(_opened(self._topology.node_url(master), name), sentinel, self, master)
                except Exception as error:  # noqa: BLE001 — another Sentinel may name another one
                    reasons.append(f"{master[0]}:{master[1]}: {reason_of(error)}")
            sentinel.close()
        raise ConnectionError(f"no Sentinel leads to the master of {self._topology.service!r} ({'; '.join(reasons)})")


class _MasterConnection(Relay):
    """A connection to the master, as long as the Sentinels name no other one."""

    def __init__(self, inner: Connection, sentinel: Connection, sentinels: Sentinels, place: Place) -> None:
        super().__init__(inner)
        self.place = place
        self._sentinel: Connection | None = sentinel
        self._sentinels = sentinels
        self._trusted_until = time.monotonic() + _TRUST_S

    def is_readable(self) -> bool:
        return super().is_readable() or self._is_replaced()

    def close(self) -> None:
        super().close()
        self._forget_sentinel()

    def _is_replaced(self) -> bool:
        now = time.monotonic()
        if now < self._trusted_until:
            return False
        named = self._named()
        self._trusted_until = now + (_TRUST_S if named else _BLIND_S)
        return named is not None and named != self.place

    def _named(self) -> Place | None:
        """The master, as the Sentinel that was asked last says, or another one in its place."""
        try:
            if self._sentinel is not None:
                return self._sentinels.named_by(self._sentinel)
        except Exception:  # noqa: BLE001 — the next one may be better
            self._forget_sentinel()
        self._sentinel, named = next(self._sentinels.answers([]), (None, None))
        return named

    def _forget_sentinel(self) -> None:
        sentinel, self._sentinel = self._sentinel, None
        if sentinel is not None:
            sentinel.close()


def _opened(url: str, name: str) -> Connection:
    """A connection to a server that says that it is a master, or may not say what it is."""
    connection = open_server(url, name)
    try:
        connection.send(("ROLE",))
        role: Any = connection.receive()
    except BaseException:
        connection.close()
        raise
    if is_list(role) and role[0] != b"master":
        connection.close()
        raise ConnectionError("it is no master")
    return connection
