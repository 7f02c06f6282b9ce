"""A connection over a plain socket that speaks RESP2, and nothing else: what a subscriber needs, at the cost it must.

redis-py takes 0.1 s to import and several receives for each message. Here one receive brings a notice; a long reply
is waited for in one piece, because a thread that follows in a busy process waits for the interpreter after each call.
"""

from __future__ import annotations

import select
import socket
import struct

from confbus.connection import CONNECT_TIMEOUT_S, TIMEOUT_S, ErrorReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from confbus.address import Address
    from confbus.connection import Word

MAX_BYTES = 512 * 1024 * 1024
"""Of all that one reply brings, with what its items cost beside: what Redis itself allows for one text."""
MAX_ITEMS = 1024 * 1024
MAX_LINE = 64 * 1024
_MAX_LEVELS = 8
_ITEM = 64
_AT_ONCE = 64 * 1024
_WHOLE = 8 * 1024 * 1024
_END = b"\r\n"


class PlainConnection:
    """One connection. Every wait ends after `timeout_s` at the latest, with `TimeoutError`."""

    def __init__(self, peer: socket.socket, *, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = peer
        self._timeout_s = timeout_s
        # The system's own timeout: Python's would be one more call, and so one more wait for the interpreter.
        limit = struct.pack("@ll", int(timeout_s), int(timeout_s % 1 * 1e6))
        peer.settimeout(None)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self._poller = select.poll()
        self._poller.register(peer, select.POLLIN)
        self._bytes = b""
        self._at = 0
        self._left = 0

    def send(self, *commands: Sequence[Word]) -> None:
        try:
            self._socket.sendall(b"".join(map(pack, commands)))
        except BlockingIOError:
            raise TimeoutError(f"the server took nothing within {self._timeout_s:g} s") from None

    def receive(self) -> Any:
        self._left = MAX_BYTES
        return self._reply(_MAX_LEVELS)

    def has_more(self) -> bool:
        return self._at < len(self._bytes)

    def is_readable(self) -> bool:
        return self.has_more() or bool(self._poller.poll(0))

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def _reply(self, levels: int) -> Any:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return self._text(_number(rest, -1, self._left))
        if kind == b"*" and levels:
            count = _number(rest, -1, min(MAX_ITEMS, self._left // _ITEM))
            self._left -= _ITEM * max(count, 0)
            return None if count < 0 else [self._item(levels - 1) for _ in range(count)]
        if kind == b":":
            return _number(rest, -(2**63), 2**63)
        if kind == b"+":
            return rest
        if kind == b"-":
            return ErrorReply(rest.decode("utf-8", "replace"))
        raise _nonsense(f"a reply begins with {kind!r}")

    def _item(self, levels: int) -> Any:
        """As `_reply`. Most items are short texts that came whole: those are cut out here, at a third of the cost."""
        received, at = self._bytes, self._at
        end = received.find(_END, at, at + 8)
        if end > 0 and received[at : at + 1] == b"$" and received[at + 1 : end].isdigit():
            start = end + 2
            stop = start + int(received[at + 1 : end])
            if received[stop : stop + 2] == _END and stop - start <= self._left:
                self._left -= stop - start
                self._at = stop + 2
                return received[start:stop]
        return self._reply(levels)

    def _line(self) -> bytes:
        while (end := self._bytes.find(_END, self._at)) < 0:
            if len(self._bytes) - self._at > MAX_LINE:
                raise _nonsense("a line has no end")
            self._take_in(self._received(_AT_ONCE))
        line = self._bytes[self._at : end]
        self._at = end + 2
        self._left -= len(line)
        if self._left < 0:
            raise _nonsense("a reply has no end")
        return line

    def _text(self, length: int) -> bytes | None:
        if length < 0:
            return None
        self._left -= length
        end = self._at + length
        if end + 2 > len(self._bytes):
            self._take_in(self._rest(end + 2 - len(self._bytes)))
            end = self._at + length
        if self._bytes[end : end + 2] != _END:
            raise _nonsense("a text is not as long as it says")
        text = self._bytes[self._at : end]
        self._at = end + 2
        return text

    def _rest(self, missing: int) -> bytes:
        """At least the missing bytes, in as few calls as can be; memory goes by what came, not by what was claimed."""
        if missing <= _AT_ONCE // 2:
            parts = [self._received(_AT_ONCE)]
        else:
            parts = [self._received(min(missing, _WHOLE), socket.MSG_WAITALL)]
        missing -= len(parts[0])
        while missing > 0:
            parts.append(self._received(min(missing, _WHOLE), socket.MSG_WAITALL))
            missing -= len(parts[-1])
        return b"".join(parts)

    def _take_in(self, more: bytes) -> None:
        self._bytes = self._bytes[self._at :] + more
        self._at = 0

    def _received(self, most: int, flags: int = 0) -> bytes:
        try:
            received = self._socket.recv(most, flags)
        except BlockingIOError:
            raise TimeoutError(f"the server said nothing within {self._timeout_s:g} s") from None
        if not received:
            raise ConnectionResetError("the server closed the connection")
        return received


def open_plain(address: Address, *, name: str, timeout_s: float = TIMEOUT_S) -> PlainConnection:
    """A connection that is logged in and in its database. Raises `OSError`, and `ErrorReply` for what is refused."""
    peer = address.connect(min(timeout_s, CONNECT_TIMEOUT_S))
    try:
        connection = PlainConnection(peer, timeout_s=timeout_s)
        _introduce(connection, address, name)
    except BaseException:
        peer.close()
        raise
    return connection


def pack(command: Sequence[Word]) -> bytes:
    """A command as Redis reads it."""
    parts = [b"*%d\r\n" % len(command)]
    for word in command:
        raw = word if isinstance(word, bytes) else str(word).encode()
        parts += (b"$%d\r\n" % len(raw), raw, _END)
    return b"".join(parts)


def _introduce(connection: PlainConnection, address: Address, name: str) -> None:
    commands: list[Sequence[Word]] = [("CLIENT", "SETNAME", name)]
    if address.database:
        commands.insert(0, ("SELECT", address.database))
    if credentials := address.credentials():
        commands.insert(0, ("AUTH", *credentials))
    connection.send(*commands)
    for word, *_ in commands:
        reply = connection.receive()
        # The name is for people who look at CLIENT LIST; a user who may not give it may read all the same.
        if isinstance(reply, ErrorReply) and word != "CLIENT":
            raise reply


def _number(text: bytes, least: int, most: int) -> int:
    if len(text) > 20:
        raise _nonsense("a number has no end")
    try:
        number = int(text)
    except ValueError:
        raise _nonsense(f"{text!r} is no number") from None
    if not least <= number <= most:
        raise _nonsense(f"a reply claims a length of {number}")
    return number


def _nonsense(reason: str) -> ConnectionError:
    return ConnectionError(f"what answers there is no Redis: {reason}")
