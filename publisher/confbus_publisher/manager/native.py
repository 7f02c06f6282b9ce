"""The guide's sources that confbus knows itself: `ConfigSource` over one of the publisher's own sources."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from confbus.wire.frozen import thaw
from confbus_publisher.sources.config_source import ConfigSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus_publisher.layer import Layer
    from confbus_publisher.sources.source import Source


class NativeConfigSource(ConfigSource):
    """A `ConfigSource` that gives what `inner` gives. Safe to ask from any thread and any event loop.

    A manager takes the layer as it is, with the line of each value, and asks `validate_config` before. A subclass that
    overrides `load_config` is taken for an own source, and should override `is_modified` too.
    """

    def __init__(self, inner: Source) -> None:
        super().__init__(inner.name, inner.priority)
        self.inner = inner
        self.in_use: Layer | None = None
        self._context: Any = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, priority={self.priority})"

    def layer(self, *, is_due: bool = False) -> Layer:
        """What the source says now; the very same layer while nothing changed. Raises `SourceFailed`.

        One that is asked only so often, as a remote one, is asked now when it `is_due`.
        """
        refresh: Callable[[], Layer] | None = getattr(self.inner, "refresh", None) if is_due else None
        with self._lock:
            return refresh() if refresh else self.inner.load()

    def bound(self, context: Any) -> Layer:
        """What a source says that also depends on what others say. Raises `SourceFailed`."""
        inner: Any = self.inner
        with self._lock:
            self._context = context
            layer: Layer = inner.bind(context)
        return layer

    async def load_config(self) -> dict[str, Any]:
        """The raw values as they are now: nothing is expanded. Raises `SourceFailed`."""
        values: dict[str, Any] = thaw((await asyncio.to_thread(self.layer)).tree)
        return values

    async def is_modified(self) -> bool:
        """Whether the source says something else than what is in use. Raises `SourceFailed` when it cannot be read."""
        return await asyncio.to_thread(self._now) is not self.in_use

    def _now(self) -> Layer:
        return self.layer() if self._context is None else self.bound(self._context)
