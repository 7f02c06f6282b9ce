"""Whether the server may throw configuration away when its memory is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis


def evicting_policy(client: Redis) -> str:
    """The server's `maxmemory-policy` if it may cost keys without an expiry, else the empty text.

    A server that does not let itself be asked, as many managed ones, counts as one that keeps its keys.
    """
    from redis.exceptions import RedisError

    try:
        facts = client.info("memory")
    except RedisError:
        return ""
    policy = str(facts.get("maxmemory_policy", ""))
    return policy if policy.startswith("allkeys-") and facts.get("maxmemory") != 0 else ""
