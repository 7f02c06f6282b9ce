"""A web server on loopback that behaves as it is told, well or badly, one connection a request."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_MOST_S = 20.0
_DROP_S = 0.02


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came; names of headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass(slots=True)
class Talk:
    """One connection, from the server's side."""

    asked: Asked
    _socket: socket.socket
    _closing: threading.Event
    sent_bytes: int = 0

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)
        self.sent_bytes += len(data)

    def hang(self, seconds: float = _MOST_S) -> bool:
        """Say nothing, for so long or until the server closes. True while it goes on."""
        return not self._closing.wait(seconds)


@dataclass
class WebServer:
    """Listens from `with` on. `behave` is what it does with each request, and may be replaced at any time.

    One that does not listen to the request behaves as soon as somebody connects.
    """

    behave: Callable[[Talk], None]
    tls: ssl.SSLContext | None = None
    listens: bool = True
    asked: list[Asked] = field(default_factory=list[Asked])
    talks: list[Talk] = field(default_factory=list[Talk])

    def __enter__(self) -> Self:
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def url(self, target: str = "/app.json", *, host: str = "127.0.0.1") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{target}"

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(accepted,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError):  # The client has had enough, of the certificate or of the answer.
            accepted.settimeout(_MOST_S)
            if self.tls:
                accepted = self.tls.wrap_socket(accepted, server_side=True)
            with accepted:
                asked = _read_request(accepted) if self.listens else Asked("", "", {})
                if asked:
                    talk = Talk(asked, accepted, self._closing)
                    self.asked.append(asked)
                    self.talks.append(talk)
                    self.behave(talk)
        accepted.close()


def _read_request(accepted: socket.socket) -> Asked | None:
    raw = b""
    while b"\r\n\r\n" not in raw:
        part = accepted.recv(65536)
        if not part:
            return None
        raw += part
    first, *lines = raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Asked(method, target, headers)


# --- behaviours ------------------------------------------------------------------------------------------------------


def head(status: int = 200, **headers: str) -> bytes:
    """A status line and headers, `content_type=` and so on, with the empty line."""
    lines = [f"HTTP/1.1 {status} X", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def says(
    body: str | bytes = "", *, kind: str = "application/json", status: int = 200, **headers: str
) -> Callable[[Talk], None]:
    """The whole body at once."""
    content = body.encode() if isinstance(body, str) else body
    return raw(head(status, content_type=kind, content_length=str(len(content)), **headers) + content)


def raw(data: bytes) -> Callable[[Talk], None]:
    """These very bytes, then the end of the connection."""
    return lambda talk: talk.send(data)


def conditional(body: str, *, etag: str, last_modified: str = "") -> Callable[[Talk], None]:
    """As `says`, or 304 to whoever has it already."""

    def behave(talk: Talk) -> None:
        if talk.asked.headers.get("if-none-match") == etag:
            talk.send(head(304, etag=etag))
        else:
            says(body, etag=etag, last_modified=last_modified)(talk)

    return behave


def in_turn(*behaviours: Callable[[Talk], None]) -> Callable[[Talk], None]:
    """One after the other, then the last one again and again."""
    waiting = list(behaviours)

    def behave(talk: Talk) -> None:
        (waiting.pop(0) if len(waiting) > 1 else waiting[0])(talk)

    return behave


def hangs(*, after: bytes = b"") -> Callable[[Talk], None]:
    """Nothing more after these bytes, with the connection open."""

    def behave(talk: Talk) -> None:
        talk.send(after)
        talk.hang()

    return behave


def drips(data: bytes, *, after: bytes = b"") -> Callable[[Talk], None]:
    """Byte after byte, again and again, each of them soon enough for any timeout of a socket."""

    def behave(talk: Talk) -> None:
        talk.send(after)
        while talk.hang(_DROP_S):
            talk.send(data[talk.sent_bytes % len(data)].to_bytes())

    return behave


def endless(*, after: bytes, part: bytes = b" " * 65536) -> Callable[[Talk], None]:
    """As much as the client takes."""

    def behave(talk: Talk) -> None:
        talk.send(after)
        while talk.hang(0):
            talk.send(part)

    return behave
