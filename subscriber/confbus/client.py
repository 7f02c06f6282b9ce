"""redis-py's client, with every default that matters set: for whatever needs more than a plain socket.

Importing it takes longer than everything else a worker does at its start, so nothing on a plain URL comes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.address import keepalive
from confbus.connection import CONNECT_TIMEOUT_S, TIMEOUT_S
from confbus.errors import InvalidSettings
from confbus.wire.keys import Keys

if TYPE_CHECKING:
    from redis import Redis


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


def keys_of(client: Redis, namespace: str, *, prefix: str = "confbus") -> Keys:
    """The keys of a namespace in the client's database. Raises `InvalidNamespace`."""
    settings: dict[str, Any] = client.connection_pool.connection_kwargs
    return Keys(namespace, int(settings.get("db") or 0), prefix)
