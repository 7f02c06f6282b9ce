"""A proxy between clients and a server that can be told to misbehave as networks do."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from confbus.testing.drops import Drops
from confbus.testing.sieve import Sieve

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

CHUNK = 65536  # what each direction of a connection holds at most


class Proxy:
    """Listens at `url`, on loopback, for the server at the URL `upstream`; a context manager.

    An order holds, for the connections there are and those to come, when its method returns.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.settimeout(0)
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._loses_replies = False
        self._drops: Callable[[], bool] | None = None
        self._left: dict[bool, int] = {}
        self._clients: dict[socket.socket, asyncio.Task[None]] = {}
        self._half_closed: set[socket.socket] = set()
        self._running: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="proxy")
        self._thread.start()
        self._loop, self._closing = self._running.result()

    @property
    def connections(self) -> int:
        """How many connections it has now."""
        return len(self._clients)

    def stall(self) -> None:
        """Pass nothing on, either way; connections stay open."""
        self._order(self._flowing.clear)

    def flow(self) -> None:
        """Pass everything on again, what was held back first; what was lost stays lost."""

        def let() -> None:
            self._loses_replies = False
            self._drops = None
            self._flowing.set()

        self._order(let)

    def drop_replies(self) -> None:
        """Pass requests on, and lose what the server says to them."""

        def lose() -> None:
            self._loses_replies = True
            self._flowing.set()

        self._order(lose)

    def drop_notices(self, count: int | None = None, *, share: float = 1.0, seed: int = 0) -> None:
        """Lose the next `count` notices, or all until `flow`; of those the `share`, by lot. It counts for connections
        that are made from now on: `sever` makes all of them new."""
        drops = Drops(count, share=share, seed=seed)

        def drop() -> None:
            self._drops = drops.next

        self._order(drop)

    def half_close(self) -> None:
        """End what the clients there are can read, and go on passing on what they send."""

        def end() -> None:
            for client in self._clients.keys() - self._half_closed:
                client.shutdown(socket.SHUT_WR)
                self._half_closed.add(client)

        self._order(end)

    def sever(self) -> None:
        """Close all connections on both sides; new ones are accepted."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(5)

    def sever_after(self, count: int, *, replies: bool = False) -> None:
        """Close, once, the connection on which that many more bytes of requests, or of replies, have been passed on."""
        self._order(lambda: self._left.update({replies: count}))

    def close(self) -> None:
        """Close everything, its thread too; a second call does nothing."""
        if self._thread.is_alive():
            self._order(self._closing.set)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _order(self, action: Callable[[], object]) -> None:
        async def carry_out() -> None:
            action()

        asyncio.run_coroutine_threadsafe(carry_out(), self._loop).result(5)

    async def _run(self) -> None:
        self._running.set_result((asyncio.get_running_loop(), closing := asyncio.Event()))
        accepting = asyncio.create_task(self._accept())
        await closing.wait()
        accepting.cancel()
        await asyncio.wait({accepting})
        await self._cut()
        self._listener.close()

    async def _accept(self) -> None:
        while True:
            client, _ = await asyncio.get_running_loop().sock_accept(self._listener)
            self._clients[client] = asyncio.create_task(self._link(client))

    async def _cut(self) -> None:
        links = dict(self._clients)
        for link in links.values():
            link.cancel()
        await asyncio.gather(*links.values(), return_exceptions=True)
        for client in links:  # a task that had not begun has not closed its own
            self._forget(client)

    async def _link(self, client: socket.socket) -> None:
        server = self._socket_upstream()
        sieve = Sieve(lambda: self._drops is not None and self._drops()) if self._drops else None
        try:
            client.settimeout(0)
            await asyncio.get_running_loop().sock_connect(server, self._address())
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(client, server))
                both.create_task(self._carry(server, client, are_replies=True, sieve=sieve))
        except* OSError:
            pass  # one side is gone, so the other one goes too
        finally:
            server.close()
            self._forget(client)

    async def _carry(
        self, source: socket.socket, sink: socket.socket, *, are_replies: bool = False, sieve: Sieve | None = None
    ) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(source, CHUNK):
            await self._flowing.wait()
            data = sieve.sifted(data) if sieve else data
            data = self._rationed(data, are_replies=are_replies)
            if not (are_replies and (self._loses_replies or sink in self._half_closed)):
                await loop.sock_sendall(sink, data)
            if self._left.get(are_replies) == 0:
                del self._left[are_replies]
                raise ConnectionAbortedError
        await self._flowing.wait()
        if sink not in self._half_closed:
            sink.shutdown(socket.SHUT_WR)

    def _rationed(self, data: bytes, *, are_replies: bool) -> bytes:
        left = self._left.get(are_replies)
        if left is None:
            return data
        self._left[are_replies] = max(0, left - len(data))
        return data[:left]

    def _forget(self, client: socket.socket) -> None:
        client.close()
        self._half_closed.discard(client)
        self._clients.pop(client, None)

    def _socket_upstream(self) -> socket.socket:
        family = socket.AF_UNIX if self._upstream.scheme == "unix" else socket.AF_INET
        upstream = socket.socket(family)
        upstream.settimeout(0)
        return upstream

    def _address(self) -> str | tuple[str | None, int]:
        if self._upstream.scheme == "unix":
            return unquote(self._upstream.path)
        return (self._upstream.hostname, self._upstream.port or 6379)
