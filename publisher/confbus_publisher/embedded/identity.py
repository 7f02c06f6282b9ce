"""Which process answers at a URL: what tells our server from another one that listens there by now."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def pid_at(url: str) -> int | None:
    """The process id of the server that answers there and takes commands, or None. Waits a second at most."""
    with redis.Redis.from_url(url, protocol=2, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
        try:
            client.ping()  # refused while it loads its data, which INFO is not
            return int(client.info("server")["process_id"])
        except redis.RedisError:
            return None
