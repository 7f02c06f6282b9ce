"""Two connections to Redis: one that listens for notices, one for everything else. Thin, and honest about failures.

The listening connection is redis-py's `Connection`, driven by hand: its `PubSub` reconnects and subscribes again
without a word, and a gap nobody knows of is a change nobody applies.
"""

from __future__ import annotations

import json
import os
import re
import select
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from confbus.errors import InvalidSettings, Malformed
from confbus.events import Acked, Event, Fetched, HeadRead, Heard, LinkLost, Ponged, ReadFailed
from confbus.wire import head as heads
from confbus.wire import release as releases
from confbus.wire.frozen import is_list
from confbus.wire.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from redis import Redis

    from confbus.wire.head import Head
    from confbus.wire.manifest import Manifest

TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 3.0
_PASSWORD = re.compile(r"(password=)[^&]*", re.IGNORECASE)


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
            **_keepalive(url),
        )
        # An option that no connection knows would else come to light with the first command, as a TypeError.
        client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
        return client
    except (ValueError, TypeError) as error:
        reason = str(error)
        if "Port" in reason:  # It quotes what stands there, which is a password that was not escaped as often as not.
            reason = "its port is no number; write / and # in a password as %2F and %23"
        raise InvalidSettings("the Redis URL", reason, advice="e.g. redis://localhost:6379/0") from None


def redacted(url: str) -> str:
    """The URL without its passwords, for messages."""
    try:
        parts = urlsplit(url)
    except ValueError:  # Where a password begins in it is anybody's guess.
        return "a URL that cannot be read"
    url = _PASSWORD.sub(r"\1***", url)
    if not parts.password:
        return url
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(urlsplit(url)._replace(netloc=f"{parts.username or ''}:***@{place}"))


def keys_of(client: Redis, namespace: str, *, prefix: str = "confbus") -> Keys:
    """The keys of a namespace in the client's database. Raises `InvalidNamespace`."""
    settings: dict[str, Any] = client.connection_pool.connection_kwargs
    return Keys(namespace, int(settings.get("db") or 0), prefix)


class Link:
    """The connections of one subscriber. Everything but `wake` belongs to the thread that follows."""

    def __init__(self, url: str, namespace: str, *, instance: str, prefix: str = "confbus") -> None:
        self.where = redacted(url)
        self._client: Any = make_client(url, name=f"confbus:{instance}")
        self.keys = keys_of(self._client, namespace, prefix=prefix)
        self._instance = instance
        self._listener: Any = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._closing = threading.Lock()
        self._is_closed = False
        self._server_ms = 0

    def connect(self) -> list[Event]:
        """Make a new listening connection and ask for the channel; the acknowledgement comes from `wait`."""
        self._drop_listener()
        try:
            self._listener = self._client.connection_pool.make_connection()
            self._listener.connect()
            self._listener.send_command("SUBSCRIBE", self.keys.notices)
        except Exception as error:  # noqa: BLE001 — whatever a socket, TLS or the parser raises means: no link
            return [self._lost(error)]
        return []

    def ping(self) -> list[Event]:
        try:
            self._listener.send_command("PING", check_health=False)
        except Exception as error:  # noqa: BLE001 — as in `connect`
            return [self._lost(error)]
        return []

    def wait(self, timeout_s: float) -> list[Event]:
        """The next message, or nothing after `timeout_s` or when somebody called `wake`."""
        try:
            if self._listener is not None and self._listener.can_read(timeout=0):
                return self._receive()
            poller = select.poll()
            poller.register(self._wake_read, select.POLLIN)
            listening = -1
            if self._listener is not None:
                listening = self._listener._sock.fileno()
                poller.register(listening, select.POLLIN)
            ready = {descriptor for descriptor, _ in poller.poll(max(0.0, timeout_s) * 1000)}
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
            return self._receive() if listening in ready else []
        except Exception as error:  # noqa: BLE001 — as in `connect`
            return [self._lost(error)]

    def wake(self) -> None:
        """Make `wait` return now; from any thread."""
        with self._closing, suppress(BlockingIOError):  # a full pipe will wake it anyway
            if not self._is_closed:  # else the descriptor may be somebody else's by now
                os.write(self._wake_write, b"!")

    def read_head(self) -> list[Event]:
        def read() -> Event:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hgetall(self.keys.head)
            pipeline.time()
            fields, (seconds, micros) = pipeline.execute()
            self._server_ms = int(seconds) * 1000 + int(micros) // 1000
            return HeadRead(heads.parse(_texts(fields)) if fields else None)

        return [self._try(read)]

    def fetch(self, head: Head, running: Manifest) -> list[Event]:
        """The release of `head` and the blobs that `running` has not."""

        def read() -> Event:
            fields = self._client.hgetall(self.keys.release(head.version))
            release = releases.parse(_texts(fields))
            if release.digest != head.digest:
                raise Malformed(f"release {head.version}", "it is another one than the head names")
            changes = running.changes_to(release.manifest)
            wanted = {name: blob for name, blob in changes.items() if blob is not None}
            found: list[bytes | None] = self._client.hmget(self.keys.blobs, list(wanted.values())) if wanted else []
            blobs = {name: blob for name, blob in zip(wanted, found, strict=True) if blob is not None}
            if len(blobs) < len(wanted):
                missing = next(name for name in wanted if name not in blobs)
                raise Malformed(f"release {head.version}", f"the content of section {missing!r} is gone")
            return Fetched(head, release.manifest, blobs, release.at_ms)

        return [self._try(read)]

    def report(self, report: Mapping[str, Any]) -> str:
        """Tell the fleet; returns why it could not be told, or the empty text. Workers may lack the right to."""
        try:
            text = json.dumps({**report, "at": self._server_ms}, separators=(",", ":"))
            self._client.hset(self.keys.fleet, self._instance, text)
        except Exception as error:  # noqa: BLE001 — a report that fails must not stop the follower
            return str(error) or type(error).__name__
        return ""

    def leave(self) -> None:
        """Take this instance's report away."""
        try:
            self._client.hdel(self.keys.fleet, self._instance)
        except Exception:  # noqa: BLE001 — leaving is a courtesy; the publisher drops silent instances anyway
            return

    def close(self) -> None:
        self._drop_listener()
        self._client.close()
        with self._closing:
            self._is_closed = True
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _receive(self) -> list[Event]:
        message = self._listener.read_response(disable_decoding=True)
        kind = message[0] if is_list(message) and message else b""
        if kind == b"message":
            return [Heard(message[2])]
        if kind == b"subscribe":
            return [Acked()]
        return [Ponged()] if kind == b"pong" else []

    def _try(self, read: Callable[[], Event]) -> Event:
        try:
            return read()
        except Malformed as error:
            return ReadFailed(str(error), is_damage=True)
        except Exception as error:  # noqa: BLE001 — whatever failed, the running configuration stays
            return ReadFailed(str(error) or type(error).__name__, is_damage="WRONGTYPE" in str(error))

    def _lost(self, error: Exception) -> LinkLost:
        self._drop_listener()
        return LinkLost(str(error) or type(error).__name__)

    def _drop_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.disconnect()


def _keepalive(url: str) -> dict[str, Any]:
    if url.startswith("unix:"):
        return {}
    import socket

    wanted = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 15_000}
    options = {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}
    return {"socket_keepalive": True, "socket_keepalive_options": options}


def _texts(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in fields.items()}
