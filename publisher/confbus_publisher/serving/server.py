"""The HTTP server of a publisher, in a thread of its own: it answers while the publisher is busy, or hangs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from confbus_publisher.serving.listen import Listen

if TYPE_CHECKING:
    import asyncio
    from socket import socket

    from starlette.applications import Starlette

LONGEST_S = 10.0
_MOST_CONNECTIONS = 256
_MOST_AT_ONCE = _MOST_CONNECTIONS // 4
"""So few are taken in before they are read: nobody is sent away by those who came at the same moment."""
_MOST_WAITING = 1024
_MOST_HEADER_BYTES = 16 * 1024
_LEAVE_S = 1


class Server:
    """Answers with `application` at `listen` from the moment it is made, until `stop`.

    One request for each connection, and 10 s for all of it, however slowly its client writes or reads. Where there are
    too many connections, the oldest ends: whoever comes to ask gets an answer. Raises `ListenFailed`.
    """

    def __init__(self, application: Starlette, listen: Listen, *, longest_s: float = LONGEST_S) -> None:
        self._socket = listen.open()
        self.listen = Listen(*self._socket.getsockname()[:2])

        class Bounded(_Bounded):
            end_s = longest_s
            by_age: ClassVar[dict[_Bounded, None]] = {}

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
            backlog=_MOST_AT_ONCE,
            h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
            timeout_graceful_shutdown=_LEAVE_S,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="confbus-http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Answer nobody any more. Whoever waits for an answer now has a second."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket] | None = None) -> None:
        """As ever, but that more may wait than are taken in at once: who finds no room tries again after a second."""
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(_MOST_WAITING)


class _Bounded(H11Protocol):
    """A connection that ends after `end_s`, whatever its client does, and sooner when too many came after it.

    uvicorn's own limit answers 503 instead: clients that only connect would have a healthy publisher restarted.
    """

    end_s: float
    by_age: ClassVar[dict[_Bounded, None]]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._end = self.loop.call_later(self.end_s, transport.abort)
        self.by_age[self] = None
        if len(self.by_age) > _MOST_CONNECTIONS:
            oldest = next(iter(self.by_age))
            del self.by_age[oldest]
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        self.by_age.pop(self, None)
        super().connection_lost(exc)
