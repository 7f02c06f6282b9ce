"""Two connections to Redis: one that listens for notices, one for everything else. Thin, and honest about failures.

They serve all subscribers of a process that follow namespaces of one server; what a namespace is, `namespace` knows.
"""

from __future__ import annotations

import os
import select
import threading

from confbus import connection as connections
from confbus.events import Acked, Event, Heard, LinkLost, Ponged
from confbus.wire.frozen import is_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from confbus.connection import Connection, Word
    from confbus.dial import Dial

EVERYBODY = ""
"""In place of a channel: what happened concerns all that listen."""

_DENIALS = (
    ("NOAUTH", "Authentication required", "name a user in the URL, and a password_file="),
    ("WRONGPASS", "invalid username-password", "look at the user in the URL, and at its password_file="),
    ("NOPERM", "ermissions to ", "`confbus acl` prints the rights that this user needs"),
)
"""What a server says to those whom it does not let in or do something, by a part of its words, and what to do then."""

News = list[tuple[str, Event]]
"""What happened, by the channel that it concerns."""


class Link:
    """The connections of one driver. Everything but `wake` belongs to its thread."""

    def __init__(self, dial: Dial, name: str) -> None:
        self._dial = dial
        self._name = name
        self._channels: dict[str, bool] = {}
        self._listener: Connection | None = None
        self._asker: Connection | None = None
        self._listening = -1
        self._closing = threading.Lock()
        self._is_closed = False
        self._make_pollable()

    def listen(self, channel: str) -> News:
        """Ask for `channel`; the acknowledgement comes from `wait`.

        Whoever asks for a channel that he asked for before wants a new connection: all channels are asked for again
        there, and those of others count as asked for by them.
        """
        is_on_behalf = self._channels.get(channel, False)
        is_new = channel not in self._channels
        self._channels[channel] = False
        if self._listener is not None and (is_new or is_on_behalf):
            return self._subscribe(channel) if is_new else []
        self._channels = {each: each != channel for each in self._channels}
        self._drop_listener()
        try:
            self._listener = self._open()
            self._listening = self._listener.fileno()
            self._poller.register(self._listening, select.POLLIN)
        except Exception as error:  # noqa: BLE001 — whatever a socket, TLS or the parser raises means: no link
            return self._lost(error)
        return self._subscribe(*self._channels)

    def stop_listening(self, channel: str) -> None:
        """Forget `channel`. Its messages may still come for a moment."""
        if self._channels.pop(channel, None) is not None and self._listener is not None:
            try:
                self._listener.send((self._dial.subscribe.replace("SUB", "UNSUB"), channel))
            except Exception:  # noqa: BLE001 — those who still need the connection notice that it is of no use
                return

    def ping(self) -> News:
        try:
            if self._listener is not None:
                self._listener.send(("PING",))
        except Exception as error:  # noqa: BLE001 — as in `listen`
            return self._lost(error)
        return []

    def wait(self, timeout_s: float) -> News:
        """The next message, or nothing after `timeout_s` or when somebody called `wake`."""
        listener = self._listener
        try:
            if listener is not None and listener.has_more():
                return self._receive(listener)
            ready = [descriptor for descriptor, _ in self._poller.poll(max(0.0, timeout_s) * 1000)]
            if self._wake_read in ready:
                self._stay_awake()
            return self._receive(listener) if listener is not None and self._listening in ready else []
        except Exception as error:  # noqa: BLE001 — as in `listen`
            return self._lost(error)

    def wake(self) -> None:
        """Make `wait` return now; from any thread."""
        with self._closing:
            if self._is_closed:  # the descriptor may be somebody else's by now
                return
            try:
                os.write(self._wake_write, b"!")
            except OSError:
                return  # a full pipe will wake it anyway, and a pipe that somebody closed wakes it by itself

    def ask(self, *commands: tuple[Word, ...]) -> list[Any]:
        """The replies, over the connection that is not subscribed. It is made anew after any failure, and when the
        server closed it or said what nobody asked for."""
        if self._asker is not None and self._asker.is_readable():
            self._drop_asker()
        if self._asker is None:
            self._asker = self._open()
        try:
            return connections.ask(self._asker, *commands)
        except connections.ErrorReply as refused:
            if str(refused).startswith("READONLY"):
                self._drop_asker()  # what was the master is a replica now; its name may lead to another one
            raise
        except Exception:
            self._drop_asker()
            raise

    def close(self) -> None:
        """Close both connections. In a forked child this closes its copies alone: the parent's go on."""
        self._drop_listener()
        self._drop_asker()
        with self._closing:
            if not self._is_closed:
                self._is_closed = True
                _let_go(lambda: os.close(self._wake_read))
                _let_go(lambda: os.close(self._wake_write))

    def abandon(self) -> None:
        """In a forked child: close the copies of the parent's descriptors, whatever its thread did; open no more."""
        self._closing = threading.Lock()
        self.close()

    def _open(self) -> Connection:
        if self._is_closed:
            raise ConnectionError("this link is closed")
        return self._dial.open(self._name)

    def _make_pollable(self) -> None:
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._poller = select.poll()
        self._poller.register(self._wake_read, select.POLLIN)

    def _stay_awake(self) -> None:
        """Empty the pipe that woke it. One that somebody closed, with all descriptors of the process, is made anew."""
        try:
            os.read(self._wake_read, 4096)
        except OSError:
            with self._closing:
                if not self._is_closed:
                    self._make_pollable()
            raise

    def _subscribe(self, *channels: str) -> News:
        try:
            if self._listener is not None:
                self._listener.send(*((self._dial.subscribe, channel) for channel in channels))
        except Exception as error:  # noqa: BLE001 — as in `listen`
            return self._lost(error)
        return []

    def _receive(self, listener: Connection) -> News:
        message = listener.receive()
        kind = message[0] if is_list(message) and message else message
        if kind in {b"message", b"smessage"}:
            return [(message[1].decode(), Heard(message[2]))]
        if kind in {b"subscribe", b"ssubscribe"}:
            return [(message[1].decode(), Acked())]
        if isinstance(kind, connections.ErrorReply):
            raise kind
        if kind == b"sunsubscribe" and message[1].decode() in self._channels:
            raise ConnectionError("the Cluster moved the namespace to another node")
        return [(EVERYBODY, Ponged())] if kind == b"pong" else []

    def _lost(self, error: Exception) -> News:
        self._drop_listener()
        return [(EVERYBODY, LinkLost(reason_of(error)))]

    def _drop_listener(self) -> None:
        listener, self._listener = self._listener, None
        listening, self._listening = self._listening, -1
        if listener is not None:
            _let_go(lambda: self._poller.unregister(listening))
            _let_go(listener.close)

    def _drop_asker(self) -> None:
        asker, self._asker = self._asker, None
        if asker is not None:
            _let_go(asker.close)


def _let_go(close: Callable[[], object]) -> None:
    """Close what somebody may have closed already: a program that becomes a daemon closes whatever is open."""
    try:
        close()
    except (OSError, KeyError, ValueError):
        return


def reason_of(error: Exception) -> str:
    """What to tell people of a connection's failure."""
    text = (error.strerror if isinstance(error, OSError) else "") or str(error)
    _, is_untrusted, why = text.partition("CERTIFICATE_VERIFY_FAILED] certificate verify failed: ")
    if is_untrusted:
        return f"its certificate is not trusted: {why.partition(' (_ssl')[0]} (whom to trust, ssl_ca_certs= says)"
    if text.startswith("MOVED "):
        return f"{text}, as a node of a Cluster says; write redis+cluster:// in the URL"
    for word, sign, advice in _DENIALS:
        if sign in text and advice not in text:
            said = text if word in text else f"{word} {text}"  # redis-py cuts the word off
            return f"{said.rstrip('.')}; {advice}"
    return text or type(error).__name__
