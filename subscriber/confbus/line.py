"""The HTTP connections of one fetch, and the moment at which all of them are cut.

Timeouts of sockets count from byte to byte, so a server that drips holds a reader for as long as it likes: in the
handshake, in the headers, in the body. Here the connection itself ends at the deadline, whatever is being read.

Looking up a name is up to the system, and cannot be cut: it may hold the thread that fetches beyond the deadline, so
nobody else is to wait for that thread without a limit of their own.

Link-local addresses are never connected to: there, clouds hand the credentials of a machine to whoever asks. A name is
looked up once, and what was looked at is what is connected to.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
import threading
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl

_METADATA = {"fd00:ec2::254", "100.100.100.200", "168.63.129.16"}
"""Where clouds have such a service beside the link-local addresses."""


class Line:
    """Usable for `timeout_s` from its start, as a context manager. One thread uses it; any may cut it."""

    def __init__(self, timeout_s: float) -> None:
        self._ends_at = time.monotonic() + timeout_s
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self._cut = threading.Event()
        self._timer = threading.Timer(timeout_s, self.cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._hold(None)

    @property
    def is_cut(self) -> bool:
        return self._cut.is_set()

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the deadline."""
        self._cut.wait(seconds)

    def connection(self, host: str, port: int, tls: ssl.SSLContext | None) -> HTTPConnection:
        """A connection that opens with the first request, and takes the place of the one before."""
        return _Connection(self, host, port, tls)

    def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
        """An open socket that the deadline ends. Raises `OSError`, also when the certificate is refused, and
        `PermissionError` for a host of a link-local address."""
        opened = self._reached(host, port)
        try:
            # TLS takes the socket over, with its descriptor. A second one for the same connection stays ours.
            self._hold(opened.dup())
            return tls.wrap_socket(opened, server_hostname=host) if tls else opened
        except BaseException:
            opened.close()
            raise

    def _reached(self, host: str, port: int) -> socket.socket:
        """A socket to the first address of the host that answers; all of them have the time of this line together."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        places = [(str(place[0]), int(place[1])) for *_, place in found]
        if any(_is_of_a_cloud(address) for address, _ in places):
            raise PermissionError(errno.EACCES, "its address is one at which clouds hand out credentials")
        for place in places[:-1]:
            with contextlib.suppress(OSError):
                return socket.create_connection(place, timeout=self._left_s())
        return socket.create_connection(places[-1], timeout=self._left_s())

    def _left_s(self) -> float:
        return max(0.001, self._ends_at - time.monotonic())  # A timeout of 0 would mean "do not wait".

    def cut(self) -> None:
        """End what is being read or written; whoever waits for it gets an error or the end of the stream."""
        self._cut.set()
        with self._lock:
            self._shut()

    def _hold(self, opened: socket.socket | None) -> None:
        with self._lock:
            if self._held is not None:
                self._held.close()
            self._held = opened
            if self.is_cut:
                self._shut()

    def _shut(self) -> None:
        if self._held is not None:
            with contextlib.suppress(OSError):  # The other side was faster.
                self._held.shutdown(socket.SHUT_RDWR)


def _is_of_a_cloud(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or found
    return inner.is_link_local or str(inner) in _METADATA


class _Connection(HTTPConnection):
    """One that a line opens, with TLS or without."""

    def __init__(self, line: Line, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port)
        self._line = line
        self._tls = tls

    def connect(self) -> None:
        self.sock = self._line.open(self.host, self.port, self._tls)
