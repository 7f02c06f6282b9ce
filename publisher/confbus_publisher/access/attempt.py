"""What is tried to prove that a user has the rights of a role and no others: every command on every key, and more.

Nothing is done: a server says whether it would be by ACL DRYRUN, or to the user itself in a transaction that is thrown
away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from confbus.connection import ErrorReply, ask
from confbus.wire.keys import Keys
from confbus_publisher.access.rights import CHANNEL, ON_KEYS, SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from confbus.connection import Connection
    from confbus_publisher.access.rights import Rights

SERVER, SCRIPT, ELSEWHERE = "server", "scripts", "elsewhere"

_AFTER_THE_KEY = {
    "copy": "{key}",
    "expire": "1",
    "getset": "value",
    "hdel": "field",
    "hexists": "field",
    "hget": "field",
    "hincrby": "field 1",
    "hmget": "field",
    "hscan": "0",
    "hset": "field value",
    "hsetnx": "field value",
    "publish": "message",
    "rename": "{key}",
    "restore": "0 value",
    "set": "value",
    "spublish": "message",
    "xadd": "* field value",
    "xdel": "0-1",
    "xrange": "- +",
    "xrevrange": "+ -",
    "xsetid": "0-1",
    "xtrim": "MAXLEN 0",
}
_NOBODY_ON_KEYS = "dump expire getset hscan persist rename restore sort touch xdel xsetid xtrim"
_NOBODY = (
    "acl list",
    "acl setuser confbus",
    "bgrewriteaof",
    "bgsave",
    "client kill 127.0.0.1:1",
    "client list",
    "client pause 1",
    "config get maxmemory",
    "config rewrite",
    "config set maxmemory 0",
    "dbsize",
    "failover abort",
    "flushall",
    "flushdb",
    "function flush",
    "function load library",
    "keys *",
    "latency reset",
    "memory purge",
    "psubscribe *",
    "pubsub channels",
    "randomkey",
    "replicaof no one",
    "scan 0",
    "script flush",
    "script kill",
    "script load script",
    "slowlog get",
    "swapdb 0 1",
)
_NOBODY_BY_DRY_RUN = ("debug sleep 0", "module load path", "monitor", "psync ? -1", "save", "shutdown", "sync")
"""What a server refuses within a transaction before it looks at the rights, or to everybody by its settings."""
_BESIDES = {
    "client|setname": "client setname confbus",
    "cluster|slots": "cluster slots",
    "info": "info server",
    "pubsub|numsub": "pubsub numsub",
    "pubsub|shardnumsub": "pubsub shardnumsub",
    "select": "select 0",
}
_UNTRIED = frozenset(["multi", "exec", "discard", "unsubscribe", "sunsubscribe", "asking"])
"""What a transaction cannot hold, or what every user may."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One command, and whether the role has a right to it. `name` is the command without its arguments. Some can be
    tried by a dry run alone."""

    row: str
    name: str
    words: tuple[str, ...]
    is_due: bool
    is_dry: bool = False


ANY_PASSWORD = Attempt(SERVER, "a login with any password", (), is_due=False)


def attempts(rights: Rights, keys: Keys) -> list[Attempt]:
    """Everything that is to be tried, by row: each key, the channel, scripts, the server, and another namespace."""
    neighbour = Keys(f"not-{keys.namespace[:90]}", keys.database, keys.prefix)
    on_keys = sorted({word for row in ON_KEYS for word in _commands(row)} | set(_NOBODY_ON_KEYS.split()))
    found: list[Attempt] = []
    for name, due in rights.keys.items():
        found += [_on_key(name, command, _name(name, keys), is_due=command in due) for command in on_keys]
    for command in _channel_commands(rights):
        found.append(_on_key(CHANNEL, command, keys.notices, is_due=command in rights.channel))
        found.append(_on_key(ELSEWHERE, command, neighbour.notices, is_due=False))
    found += [_on_key(ELSEWHERE, command, neighbour.head, is_due=False) for command in on_keys]
    found += _of_scripts(rights, keys)
    found += _of_the_server(rights)
    return found


def as_user(connection: Connection, some: Sequence[Attempt]) -> list[str]:
    """Why each is refused to whoever is logged in, or the empty text. Raises `ErrorReply` when it cannot be tried."""
    ask(connection, ("MULTI",))  # Without this answer what follows would be done.
    connection.send(*(attempt.words for attempt in some), ("DISCARD",))
    *replies, closed = [connection.receive() for _ in range(len(some) + 1)]
    if isinstance(closed, ErrorReply):
        raise closed
    return [_refusal(reply) for reply in replies]


def by_dry_run(connection: Connection, user: str, some: Sequence[Attempt]) -> list[str]:
    """As `as_user`, for another user; whoever asks needs the right to ACL DRYRUN."""
    connection.send(*(("ACL", "DRYRUN", user, *attempt.words) for attempt in some))
    replies = [connection.receive() for _ in some]
    for reply in replies:
        if isinstance(reply, ErrorReply) and not _is_unknown(reply):  # a refusal of the attempt itself is no error here
            raise reply
    return ["" if reply == b"OK" else _text(reply) for reply in replies]


def logs_in_freely(connection: Connection, user: str) -> bool:
    """Whether any password does for another user; False as well where whoever asks has no right to know."""
    try:
        (reply,) = ask(connection, ("ACL", "GETUSER", user))
    except ErrorReply:
        return False
    facts = cast("list[object]", reply) if isinstance(reply, list) else []
    return any(isinstance(fact, list) and b"nopass" in cast("list[object]", fact) for fact in facts)


def _on_key(row: str, command: str, key: str, *, is_due: bool) -> Attempt:
    after = _AFTER_THE_KEY.get(command, "").replace("{key}", key)
    return Attempt(row, command, (command, key, *after.split()), is_due)


def _of_scripts(rights: Rights, keys: Keys) -> Iterator[Attempt]:
    names = [_name(name, keys) for name in ON_KEYS]
    for command, script in zip(SCRIPTS.split(), ("return 1", "0" * 40), strict=True):
        yield Attempt(SCRIPT, command, (command, script, str(len(names)), *names), command in rights.scripts)
        if command not in rights.scripts:
            yield Attempt(SCRIPT, f"{command} without keys", (command, script, "0"), is_due=False)


def _of_the_server(rights: Rights) -> Iterator[Attempt]:
    for name in rights.besides:
        if name not in _UNTRIED:
            yield Attempt(SERVER, name, tuple(_BESIDES.get(name, name).split()), is_due=True)
    for text in _NOBODY:
        yield Attempt(SERVER, text, tuple(text.split()), is_due=False)
    for text in _NOBODY_BY_DRY_RUN:
        yield Attempt(SERVER, text, tuple(text.split()), is_due=False, is_dry=True)


def _channel_commands(rights: Rights) -> tuple[str, ...]:
    """Both that there are: those of a Cluster where the role has those."""
    return ("ssubscribe", "spublish") if "ssubscribe" in rights.channel else ("subscribe", "publish")


def _commands(row: str) -> set[str]:
    return set() if row == CHANNEL else {word for words in ON_KEYS[row].values() for word in words.split()}


def _name(name: str, keys: Keys) -> str:
    return keys.release(1) if name == "release" else str(getattr(keys, name))


def _refusal(reply: Any) -> str:
    """Why the user may not; any other error comes of what the command would meet, such as a slot that is elsewhere."""
    text = str(reply) if isinstance(reply, ErrorReply) else ""
    return text if "permissions" in text.lower() or _is_unknown(reply) else ""


def _is_unknown(reply: Any) -> bool:
    """True for what a server of that age or kind does not have."""
    return bool(re.search(r"(?i)unknown command|Command '\S+' not found", str(reply)))


def _text(reply: Any) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
