"""The one table of roles, keys and commands: who may do what. A key without a row here is one that nobody may use.

A subscriber is a worker. A publisher has the sources. An operator looks, rolls back, overrides, holds, approves,
exports and imports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal["subscriber", "publisher", "operator"]
Topology = Literal["server", "sentinels", "cluster"]

ROLES: tuple[Role, ...] = ("subscriber", "publisher", "operator")
TOPOLOGIES: tuple[Topology, ...] = ("server", "sentinels", "cluster")
CHANNEL = "notices"

ON_KEYS: Mapping[str, Mapping[Role, str]] = {
    "head": {
        "subscriber": "hgetall hget",
        "publisher": "hgetall hget hmget type hset",
        "operator": "hgetall hget hmget type hset hincrby",
    },
    "release": {
        "subscriber": "hgetall",
        "publisher": "hgetall hget type copy hset hdel unlink",
        "operator": "hgetall hget hmget hkeys type copy hset hdel unlink",
    },
    "blobs": {
        "subscriber": "hmget",
        "publisher": "hmget hkeys hlen type hset hdel",
        # A rollback seals again what an old key sealed, and writes again what was lost.
        "operator": "hmget hget hkeys hlen hexists type hset hdel",
    },
    "log": {
        "publisher": "xrevrange type xadd",
        "operator": "xrevrange xrange type xadd",
    },
    "quarantine": {
        "subscriber": "hkeys",
        "publisher": "hgetall hkeys type hset hdel",
        "operator": "hgetall hkeys type hset hdel",
    },
    "overrides": {
        # What ended is taken away, what was lost comes back; to set one is up to people.
        "publisher": "hgetall hget type hdel hsetnx",
        "operator": "hgetall hget type hset hdel hsetnx",
    },
    "approvals": {
        "publisher": "hgetall type hdel",
        "operator": "hgetall hget type hset hdel",
    },
    "guard": {
        "publisher": "hgetall hget type hset del",
        "operator": "hgetall hget type hset del",
    },
    "holds": {
        "publisher": "hgetall hget type hdel hsetnx",
        "operator": "hgetall hget type hset hdel hsetnx",
    },
    "lease": {
        "publisher": "get pttl set del",
        # A command goes beside an active publisher, or says who it is; it is never the active one.
        "operator": "get",
    },
    "fleet": {
        # Read by the health check of a container.
        "subscriber": "hgetall hset hdel",
        "publisher": "hgetall hset hdel",
        "operator": "hgetall",
    },
    CHANNEL: {
        "subscriber": "subscribe",
        "publisher": "publish subscribe",
        "operator": "publish subscribe",
    },
}
"""By the name that `wire.keys` gives a key. Whoever calls a script needs the right to each command in it as well."""

_EVERYBODY = "ping time select client|setname unsubscribe multi discard"
BESIDES: Mapping[Role, str] = {
    "subscriber": _EVERYBODY,
    "publisher": f"{_EVERYBODY} exec info pubsub|numsub",
    "operator": f"{_EVERYBODY} exec",
}
"""What has no key. A transaction that is discarded is how `confbus acl --check` tries without doing."""

SCRIPTS = "eval evalsha"
_CALLERS = ("publisher", "operator")
_ON_THE_WAY: Mapping[Topology, str] = {"server": "", "sentinels": "role", "cluster": "cluster|slots asking"}
_SHARDED = {
    "subscribe": "ssubscribe",
    "unsubscribe": "sunsubscribe",
    "publish": "spublish",
    "pubsub|numsub": "pubsub|shardnumsub",
}


@dataclass(frozen=True, slots=True)
class Rights:
    """The commands of one role: those on each key, those on the channel, those on scripts, and those on nothing."""

    role: Role
    keys: Mapping[str, tuple[str, ...]]
    channel: tuple[str, ...]
    scripts: tuple[str, ...]
    besides: tuple[str, ...]


def rights_of(role: Role, *, topology: Topology = "server") -> Rights:
    """What `role` may do, in a Cluster with the words for that."""

    def words(text: str) -> tuple[str, ...]:
        return tuple(_SHARDED.get(word, word) if topology == "cluster" else word for word in text.split())

    keys = {name: words(row.get(role, "")) for name, row in ON_KEYS.items() if name != CHANNEL}
    scripts = tuple(SCRIPTS.split()) if role in _CALLERS else ()
    besides = words(f"{BESIDES[role]} {_ON_THE_WAY[topology]}")
    return Rights(role, keys, words(ON_KEYS[CHANNEL].get(role, "")), scripts, besides)


def topology_of(url: str) -> Topology:
    """What a URL says of the server behind it."""
    kind = url.partition(":")[0].partition("+")[2]
    return "cluster" if kind == "cluster" else "sentinels" if kind == "sentinel" else "server"
