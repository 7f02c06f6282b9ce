"""The HTTP server of a publisher, in a thread of its own: it answers while the publisher is busy, or hangs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from confbus_publisher.serving.listen import Listen

if TYPE_CHECKING:
    import asyncio

    from starlette.applications import Starlette

LONGEST_S = 10.0
_MOST_CONNECTIONS = 256
_MOST_HEADER_BYTES = 16 * 1024
_LEAVE_S = 1


class Server:
    """Answers with `application` at `listen` from the moment it is made, until `stop`.

    One request for each connection, and 10 s for all of it, however slowly its client writes or reads. Raises
    `ListenFailed`.
    """

    def __init__(self, application: Starlette, listen: Listen, *, longest_s: float = LONGEST_S) -> None:
        self._socket = listen.open()
        self.listen = Listen(*self._socket.getsockname()[:2])

        class Bounded(_Bounded):
            end_s = longest_s

        config = uvicorn.Config(
            application,
            loop="asyncio",
            http=Bounded,
            ws="none",
            lifespan="off",
            log_config=None,
            # It tells of requests that are none with tracebacks: strangers would write the log.
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            headers=[("Connection", "close")],
            limit_concurrency=_MOST_CONNECTIONS,
            h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
            timeout_graceful_shutdown=_LEAVE_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="confbus-http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Answer nobody any more. Whoever waits for an answer now has a second."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


class _Bounded(H11Protocol):
    """A connection that ends after `end_s`, whatever its client does."""

    end_s: float

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._end = self.loop.call_later(self.end_s, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)
