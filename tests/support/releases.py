"""Releases in a namespace, for tests that care for nothing but what a worker makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from confbus.client import keys_of, make_client
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from support.places import encoded

if TYPE_CHECKING:
    from types import TracebackType


class Releases:
    """What is published in `namespace` on the server at `url`; a context manager."""

    def __init__(self, url: str, namespace: str) -> None:
        client = make_client(url)
        self.url = url
        self.namespace = namespace
        self._store = RedisStore(client, keys_of(client, namespace), where=url)
        self._ledger = Ledger(self._store)

    def publish(self, **document: Any) -> int:
        """Publish sections by name, and return the version."""
        self._ledger.refresh()
        self._ledger.publish(encoded(document), Why("ann"))
        assert self._ledger.state
        return self._ledger.state.head.version

    def fleet(self) -> list[str]:
        """The instances that report."""
        return sorted(self._store.fleet())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()
