"""A subscriber that is there when it is first asked for something, for frameworks that import more than they serve."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from confbus import forks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus.subscriber import Subscriber
    from confbus.wire import path as paths


class Lazy:
    """Everything that a `Subscriber` does, of one that is connected at the first use with what `terms` gives then.

    `url` and `namespace` among them say where, all else is an option of `confbus.connect`. The first use raises what
    `connect` raises; the next one tries again. Safe from any thread, and over forks.
    """

    def __init__(self, terms: Callable[[], Mapping[str, Any]]) -> None:
        self._terms = terms
        self._lock = threading.Lock()
        self._connected: Subscriber | None = None
        forks.watch(self)

    @property
    def subscriber(self) -> Subscriber:
        """The subscriber itself, connected."""
        return self._connected or self._connect()

    def __getitem__(self, path: str | paths.Path) -> Any:
        return self.subscriber[path]

    def __contains__(self, path: object) -> bool:
        return path in self.subscriber

    def close(self) -> None:
        """Stop following; the next use connects anew, with the terms of then."""
        with self._lock:
            connected, self._connected = self._connected, None
        if connected is not None:
            connected.close()

    def postfork(self) -> None:
        """In a forked child nobody holds the lock; the subscriber itself begins anew as all do."""
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        # What looks into modules, such as doctest or a debugger, must not connect.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.subscriber, name)

    def __repr__(self) -> str:
        return repr(self._connected) if self._connected else f"{type(self).__name__}(not connected)"

    def _connect(self) -> Subscriber:
        import confbus

        with self._lock:
            if self._connected is None:
                self._connected = confbus.connect(**self._terms())
            return self._connected
