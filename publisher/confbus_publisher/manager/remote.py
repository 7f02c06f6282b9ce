"""`RemoteConfigSource` as the guide names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.manager.native import NativeConfigSource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class RemoteConfigSource(NativeConfigSource):
    """What `url` answers: asked every `interval_s` seconds and at each reload, for at most `timeout` seconds.

    A manager in a process of its own starts without it when it cannot be reached, and tells so; its values come when
    it is there. With `cache`, a file, it starts with the last good answer instead. Raises `InvalidSettings` for what
    could never be asked.
    """

    kind = "http"

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10,
        priority: int = 20,
        name: str = "",
        *,
        interval_s: float = 30.0,
        bearer_file: Path | None = None,
        cache: Path | None = None,
    ) -> None:
        # Here, not above: who has no remote source needs nothing of what speaks HTTP.
        from confbus_publisher.sources.remote.http import HttpSource

        self._http = HttpSource(
            url,
            headers=headers,
            timeout_s=timeout,
            priority=priority,
            name=name,
            interval_s=interval_s,
            bearer_file=bearer_file,
            cache=cache,
        )
        super().__init__(self._http)
        self.timeout_s = timeout

    def _is_circuit_open(self) -> bool:
        """Whether the server failed so often that it is left alone for now."""
        return bool(self._http.is_circuit_open)
