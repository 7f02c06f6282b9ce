"""A subscriber that is there when it is first asked for something."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from confbus import forks
from confbus.errors import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from confbus.contrib.django.overridden import Overridden
    from confbus.subscriber import Subscriber
    from confbus.wire import path as paths
    from confbus.wire.frozen import Frozen
    from confbus.wire.snapshot import Snapshot


class LazyConfig:
    """Everything that a `Subscriber` does, of one that is connected at the first use, by `settings.CONFBUS`.

    `url` and `namespace` there say where, all else is an option of `confbus.connect`; validators may be given as dotted
    paths. The first use raises what `connect` raises; the next one tries again. Safe from any thread, and over forks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connected: Subscriber | None = None
        self.overridden: Overridden | None = None

    @property
    def subscriber(self) -> Subscriber:
        """The subscriber itself, connected."""
        return self._connected or self._connect()

    def __getitem__(self, path: str | paths.Path) -> Any:
        return (self.overridden or self.subscriber)[path]

    def get(self, path: str | paths.Path, default: Any = None) -> Any:
        """The value at `path`; `default` only where there is none (a null is None)."""
        return (self.overridden or self.subscriber).get(path, default)

    def section(self, path: str | paths.Path) -> Frozen:
        """The mapping at `path`, frozen. Raises `UnknownPath`, and `TypeError` when it is no mapping."""
        return (self.overridden or self.subscriber).section(path)

    def __contains__(self, path: object) -> bool:
        return path in (self.overridden or self.subscriber)

    @property
    def snapshot(self) -> Snapshot:
        """The newest accepted release, to be held while several reads must agree."""
        return (self.overridden or self.subscriber).snapshot

    def pin(self) -> AbstractContextManager[Snapshot]:
        """As `Subscriber.pin`. While a test overrides values, they are pinned."""
        return nullcontext(self.overridden.snapshot) if self.overridden else self.subscriber.pin()

    def close(self) -> None:
        """Stop following; the next use connects anew, by the settings of then."""
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
        return repr(self._connected) if self._connected else "LazyConfig(not connected)"

    def _connect(self) -> Subscriber:
        import confbus

        with self._lock:
            if self._connected is None:
                self._connected = confbus.connect(**_terms())
            return self._connected


def _terms() -> dict[str, Any]:
    """The arguments of `confbus.connect`, from Django's settings."""
    from django.conf import settings
    from django.utils import module_loading

    given: Mapping[str, Any] | None = getattr(settings, "CONFBUS", None)
    if not given or not given.get("url") or not given.get("namespace"):
        reason = "it must say url and namespace"
        raise InvalidSettings("settings.CONFBUS", reason, advice="`manage.py check` tells more.")
    terms = dict(given)
    if "validators" in terms:
        terms["validators"] = [_loaded(each, module_loading) for each in terms["validators"]]
    return terms


def _loaded(each: Any, module_loading: Any) -> Any:
    return module_loading.import_string(each) if isinstance(each, str) else each


config = LazyConfig()
forks.watch(config)
