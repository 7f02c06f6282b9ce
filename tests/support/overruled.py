"""Overrides on a bus: what an operator sets, what the head says then, and what a worker saw of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import confbus
from confbus.wire.frozen import freeze
from confbus.wire.sections import join
from confbus_publisher.ledger import Amendment
from confbus_publisher.overrides.override import Override, parse_path
from support.bus import TIMING, MortalStore

if TYPE_CHECKING:
    from types import TracebackType

    from confbus import Snapshot
    from confbus_publisher.publisher import Publisher
    from support.bus import Bus

HOST = "db.host"


def put(bus: Bus, path: str = HOST, value: Any = "by hand", *, ttl_s: float | None = None) -> Override:
    """An operator sets an override; without publisher that looks, nothing else happens."""
    store = bus.ledger.store
    now_ms = store.time_ms()
    until_ms = None if ttl_s is None else now_ms + int(ttl_s * 1000)
    override = Override(path=parse_path(path), value=freeze(value), at_ms=now_ms, until_ms=until_ms, by="operator")
    assert store.amend(Amendment("overrides", override.name, override.text(), {"action": "set"}))
    return override


def end(bus: Bus, override: Override) -> None:
    """An operator ends it now."""
    store = bus.ledger.store
    text = override.ended(store.time_ms()).text()
    assert store.amend(Amendment("overrides", override.name, text, {"action": "unset"}))


def names(bus: Bus) -> list[str]:
    """The overrides that the store keeps, ended or not."""
    return sorted(bus.ledger.store.overrides().texts)


def head(bus: Bus) -> Any:
    """The document of the head."""
    state = bus.ledger.refresh()
    assert state
    return join(state.blobs, state.release.manifest).document


def turn(publisher: Publisher, times: int = 1) -> str:
    """The state of the publisher after so many turns."""
    for _ in range(times):
        publisher.turn()
    return publisher.standing.state


def kill(bus: Bus, publisher: Publisher) -> None:
    """It is gone, and its lease runs out."""
    assert isinstance(publisher.ledger.store, MortalStore)
    publisher.ledger.store.close()
    bus.client.delete(bus.keys.lease)


class Reader:
    """A worker that remembers every host it came to read, without repetitions; a context manager."""

    def __init__(self, url: str, namespace: str) -> None:
        self.hosts: list[str] = []
        self.config = confbus.connect(url, namespace=namespace, timeout_s=10, timing=TIMING, validators=[self._saw])

    @property
    def host(self) -> str:
        host: str = self.config[HOST]
        return host

    def _saw(self, snapshot: Snapshot) -> None:
        if self.hosts[-1:] != [snapshot[HOST]]:
            self.hosts.append(snapshot[HOST])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.config.close()
