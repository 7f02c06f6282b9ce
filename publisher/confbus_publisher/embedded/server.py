"""The embedded server as its users meet it: start one, attach to one, find one."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from confbus.errors import EmbeddedFailed
from confbus_publisher.embedded.binary import find_binary
from confbus_publisher.embedded.directory import Address, DataDirectory
from confbus_publisher.embedded.home import new_home, quoted
from confbus_publisher.embedded.process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

ATTACH_WITHIN_S = 30.0
FREE_PORT_TRIES = 5


class EmbeddedServer:
    """A server that answers at `url`; an owned one lives as long as this object, at most as this process.

    That holds for every death of the process, SIGKILL included. As a context manager it stops at the end of
    the block. A process forked from the owner may use the server, and cannot stop it.
    """

    def __init__(self, address: Address, *, process: ServerProcess | None = None) -> None:
        self.url = address.url
        self.pid = address.pid
        self._process = process

    def __repr__(self) -> str:
        return f"<EmbeddedServer {self.url} pid={self.pid}{' owned' if self.owned else ''}>"

    @property
    def owned(self) -> bool:
        """Whether stopping is up to this object; an attached server belongs to another one."""
        return self._process is not None

    def stop(self) -> None:
        """End an owned server, its data on disk when it keeps any; returns when nothing of it is left."""
        if self._process:
            self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    *, port: int | None = None, binary: Path | None = None, extra: Mapping[str, str] | None = None
) -> EmbeddedServer:
    """A new server that keeps nothing, ready to use.

    It listens on a private unix socket, or on loopback at `port`, where 0 takes a free one. `extra` are lines
    of the server's own configuration, as in `{"maxmemory": "64mb"}`. Raises `EmbeddedFailed`.
    """
    return _started(binary or find_binary(), port=port, settings=dict(extra or {}))


def attach_or_start(
    directory: Path,
    *,
    port: int | None = None,
    binary: Path | None = None,
    extra: Mapping[str, str] | None = None,
) -> EmbeddedServer:
    """The server that keeps its data in `directory`: the one that runs there already, else a new one.

    Of several processes that call this at the same time exactly one owns the server; for the others `port`,
    `binary` and `extra` have no meaning. Raises `EmbeddedFailed`, also when a server has the data and does
    not answer.
    """
    data = DataDirectory(directory)
    deadline = time.monotonic() + ATTACH_WITHIN_S
    while time.monotonic() < deadline:
        if address := data.live_address():
            return EmbeddedServer(address)
        with data.locked() as lock:
            if lock is not None:
                settings = _persistent(data.path) | dict(extra or {})
                server = _started(binary or find_binary(), port=port, settings=settings, data=data.path, lock=lock)
                data.announce(Address(server.url, server.pid))
                return server
        time.sleep(0.02)
    raise EmbeddedFailed(
        f"the server that has the data in {data.path} does not answer",
        advice="End its process, or wait for it.",
    )


def running_url(directory: Path) -> str | None:
    """The URL of the live server that keeps its data in `directory`, or None; starts and writes nothing."""
    address = DataDirectory(directory).live_address()
    return address.url if address else None


def _persistent(data: Path) -> dict[str, str]:
    return {"dir": quoted(data), "appendonly": "yes", "appendfsync": "everysec"}


def _started(
    binary: Path,
    *,
    port: int | None,
    settings: Mapping[str, str],
    data: Path | None = None,
    lock: int | None = None,
) -> EmbeddedServer:
    def attempt(number: int | None) -> EmbeddedServer:
        listen = {} if number is None else {"port": str(number)}
        log = data / "server.log" if data else None
        process = ServerProcess(binary, home=new_home(), settings=listen | dict(settings), log=log, lock=lock)
        url = process.socket_url if number is None else f"redis://127.0.0.1:{number}/0"
        return EmbeddedServer(Address(url, process.pid), process=process)

    if port == 0:
        # The server cannot pick one itself, and somebody may take ours before it does.
        for _ in range(FREE_PORT_TRIES - 1):
            with suppress(EmbeddedFailed):
                return attempt(_free_port())
        return attempt(_free_port())
    return attempt(port)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
