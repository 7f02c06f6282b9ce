"""Two connections to Redis: one that listens for notices, one for everything else. Thin, and honest about failures.

A plain URL is followed over `resp`, without redis-py; any other one over `borrowed`, with the same promises.
"""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from confbus import connection as connections
from confbus.address import keepalive, plain
from confbus.connection import CONNECT_TIMEOUT_S, TIMEOUT_S
from confbus.errors import InvalidSettings, Malformed
from confbus.events import Acked, Event, Fetched, HeadRead, Heard, LinkLost, Ponged, ReadFailed
from confbus.wire import head as heads
from confbus.wire import release as releases
from confbus.wire.frozen import is_list
from confbus.wire.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from redis import Redis

    from confbus.connection import Connection, Word
    from confbus.wire.head import Head
    from confbus.wire.manifest import Manifest


def make_client(url: str, *, timeout_s: float = TIMEOUT_S, name: str = "") -> Redis:
    """A client with every default that matters set: RESP2, no retries of its own, bytes, bounded waits.

    RESP3 would format each payload for a debug log (slow, and configuration in logs); redis-py's retries would run a
    script again that ran already. Raises `InvalidSettings` for a URL that redis-py cannot read.
    """
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        client = redis.Redis.from_url(
            url,
            protocol=2,
            decode_responses=False,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=timeout_s,
            socket_connect_timeout=min(timeout_s, CONNECT_TIMEOUT_S),
            health_check_interval=0,
            client_name=name or None,
            **({} if url.startswith("unix:") else {"socket_keepalive": True, "socket_keepalive_options": keepalive()}),
        )
        if "?" in url:
            # An option that no connection knows would else come to light as a TypeError of the first command.
            client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
        return client
    except (ValueError, TypeError) as error:
        reason = str(error)
        if "Port" in reason:  # It quotes what stands there, which is a password that was not escaped as often as not.
            reason = "its port is no number; write / and # in a password as %2F and %23"
        raise InvalidSettings("the Redis URL", reason, advice="e.g. redis://localhost:6379/0") from None


def redacted(url: str) -> str:
    """The URL without its passwords, for messages. Of one that was not escaped nothing is shown up to the last @."""
    import re

    url = re.sub(r"(?i)(password=)[^&]*", r"\1***", url)
    return re.sub(r"(?s)(://[^:/?#@]*):.*@", r"\1:***@", url)


def keys_of(client: Redis, namespace: str, *, prefix: str = "confbus") -> Keys:
    """The keys of a namespace in the client's database. Raises `InvalidNamespace`."""
    settings: dict[str, Any] = client.connection_pool.connection_kwargs
    return Keys(namespace, int(settings.get("db") or 0), prefix)


class Link:
    """The connections of one subscriber. Everything but `wake` belongs to the thread that follows."""

    def __init__(self, url: str, namespace: str, *, instance: str, prefix: str = "confbus") -> None:
        self._dial, database = _dialled(url, f"confbus:{instance}")
        self.keys = Keys(namespace, database, prefix)
        self._instance = instance
        self._listener: Connection | None = None
        self._asker: Connection | None = None
        self._listening = -1
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._poller = select.poll()
        self._poller.register(self._wake_read, select.POLLIN)
        self._closing = threading.Lock()
        self._is_closed = False
        self._server_ms = 0

    def connect(self) -> list[Event]:
        """Make a new listening connection and ask for the channel; the acknowledgement comes from `wait`."""
        self._drop_listener()
        try:
            self._listener = self._dial()
            self._listening = self._listener.fileno()
            self._poller.register(self._listening, select.POLLIN)
            self._listener.send(("SUBSCRIBE", self.keys.notices))
        except Exception as error:  # noqa: BLE001 — whatever a socket, TLS or the parser raises means: no link
            return [self._lost(error)]
        return []

    def ping(self) -> list[Event]:
        try:
            if self._listener is not None:
                self._listener.send(("PING",))
        except Exception as error:  # noqa: BLE001 — as in `connect`
            return [self._lost(error)]
        return []

    def wait(self, timeout_s: float) -> list[Event]:
        """The next message, or nothing after `timeout_s` or when somebody called `wake`."""
        listener = self._listener
        try:
            if listener is not None and listener.has_more():
                return self._receive(listener)
            ready = [descriptor for descriptor, _ in self._poller.poll(max(0.0, timeout_s) * 1000)]
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
            return self._receive(listener) if listener is not None and self._listening in ready else []
        except Exception as error:  # noqa: BLE001 — as in `connect`
            return [self._lost(error)]

    def wake(self) -> None:
        """Make `wait` return now; from any thread."""
        with self._closing, suppress(BlockingIOError):  # a full pipe will wake it anyway
            if not self._is_closed:  # else the descriptor may be somebody else's by now
                os.write(self._wake_write, b"!")

    def read_head(self) -> list[Event]:
        def read() -> Event:
            fields, (seconds, micros) = self._ask(("HGETALL", self.keys.head), ("TIME",))
            self._server_ms = int(seconds) * 1000 + int(micros) // 1000
            return HeadRead(heads.parse(_texts(fields)) if fields else None)

        return [self._try(read)]

    def fetch(self, head: Head, running: Manifest) -> list[Event]:
        """The release of `head` and the blobs that `running` has not."""

        def read() -> Event:
            release = releases.parse(_texts(self._ask(("HGETALL", self.keys.release(head.version)))[0]))
            if release.digest != head.digest:
                raise Malformed(f"release {head.version}", "it is another one than the head names")
            changes = running.changes_to(release.manifest)
            wanted = {name: blob for name, blob in changes.items() if blob is not None}
            blobs = {name: blob for name, blob in self._blobs(wanted) if blob is not None}
            if len(blobs) < len(wanted):
                missing = next(name for name in wanted if name not in blobs)
                raise Malformed(f"release {head.version}", f"the content of section {missing!r} is gone")
            return Fetched(head, release.manifest, blobs, release.at_ms)

        return [self._try(read)]

    def report(self, report: Mapping[str, Any]) -> str:
        """Tell the fleet; returns why it could not be told, or the empty text. Workers may lack the right to."""
        import json

        try:
            text = json.dumps({**report, "at": self._server_ms}, separators=(",", ":"))
            self._ask(("HSET", self.keys.fleet, self._instance, text))
        except Exception as error:  # noqa: BLE001 — a report that fails must not stop the follower
            return _reason(error)
        return ""

    def leave(self) -> None:
        """Take this instance's report away."""
        try:
            self._ask(("HDEL", self.keys.fleet, self._instance))
        except Exception:  # noqa: BLE001 — leaving is a courtesy; the publisher drops silent instances anyway
            return

    def close(self) -> None:
        self._drop_listener()
        self._drop_asker()
        with self._closing:
            self._is_closed = True
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _receive(self, listener: Connection) -> list[Event]:
        message = listener.receive()
        kind = message[0] if is_list(message) and message else message
        if kind == b"message":
            return [Heard(message[2])]
        if kind == b"subscribe":
            return [Acked()]
        if isinstance(kind, connections.ErrorReply):
            raise kind
        return [Ponged()] if kind == b"pong" else []

    def _blobs(self, wanted: Mapping[str, str]) -> Iterable[tuple[str, bytes | None]]:
        found: list[bytes | None] = self._ask(("HMGET", self.keys.blobs, *wanted.values()))[0] if wanted else []
        return zip(wanted, found, strict=True)

    def _ask(self, *commands: tuple[Word, ...]) -> list[Any]:
        """The replies, over the connection that is not subscribed. It is made anew after any failure, and when the
        server closed it or said what nobody asked for."""
        if self._asker is not None and self._asker.is_readable():
            self._drop_asker()
        if self._asker is None:
            self._asker = self._dial()
        try:
            return connections.ask(self._asker, *commands)
        except connections.ErrorReply:
            raise
        except Exception:
            self._drop_asker()
            raise

    def _try(self, read: Callable[[], Event]) -> Event:
        try:
            return read()
        except Malformed as error:
            return ReadFailed(str(error), is_damage=True)
        except Exception as error:  # noqa: BLE001 — whatever failed, the running configuration stays
            return ReadFailed(_reason(error), is_damage="WRONGTYPE" in str(error))

    def _lost(self, error: Exception) -> LinkLost:
        self._drop_listener()
        return LinkLost(_reason(error))

    def _drop_listener(self) -> None:
        listener, self._listener = self._listener, None
        listening, self._listening = self._listening, -1
        if listening >= 0:
            self._poller.unregister(listening)
        if listener is not None:
            listener.close()

    def _drop_asker(self) -> None:
        asker, self._asker = self._asker, None
        if asker is not None:
            asker.close()


def _dialled(url: str, name: str) -> tuple[Callable[[], Connection], int]:
    """What makes a connection to `url`, and the number of its database. Raises `InvalidSettings`."""
    address = plain(url)
    if address is not None:
        from confbus.resp import open_plain

        return lambda: open_plain(address, name=name), address.database
    from confbus.borrowed import BorrowedConnection

    client = make_client(url, name=name)
    return lambda: BorrowedConnection(client), keys_of(client, "any").database


def _reason(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return text or type(error).__name__


def _texts(fields: Any) -> dict[str, str]:
    """The fields of a hash, which come as a flat list of names and values."""
    texts = [text.decode("utf-8", "replace") for text in fields]
    return dict(zip(texts[::2], texts[1::2], strict=True))
