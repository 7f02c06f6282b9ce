"""The rights of a role as the rules of a user of Redis 7 or Valkey: each command only on the keys that it is for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from confbus.wire.keys import Keys
    from confbus_publisher.access.rights import Rights

PLACEHOLDER = "#SHA256-OF-THE-PASSWORD"
"""No server takes it: a line that nobody filled in makes no user."""

_WRITING = frozenset(["del", "hdel", "hset", "hsetnx", "set", "unlink", "xadd"])
_READING_AND_WRITING = frozenset(["copy", "hincrby"])


def rules(rights: Rights, keys: Keys) -> list[str]:
    """What the user may do, from nothing up; without who it is."""
    selectors: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, commands in rights.keys.items():
        for mode, some in _by_mode(commands):
            selectors.setdefault((mode, some), []).append(f"{mode}{pattern(name, keys)}")
    if rights.scripts:
        whole = _escaped(keys.head.removesuffix("head"))
        selectors["~", rights.scripts] = [f"~{whole}*"]
    return [
        "resetchannels",
        "-@all",
        *_added((*rights.besides, *rights.channel)),
        f"&{pattern('notices', keys)}",
        *(f"({' '.join([*_added(some), *patterns])})" for (_, some), patterns in selectors.items()),
    ]


def user_line(name: str, hashes: Sequence[str], some: Sequence[str], *, is_for_file: bool = False) -> str:
    """The line that makes the user: a command for redis-cli, or a line of an aclfile."""
    secrets = [f"#{each}" for each in hashes] or [PLACEHOLDER]
    begin = ["user", name, "on"] if is_for_file else ["ACL", "SETUSER", name, "reset", "on"]
    return " ".join([*begin, *secrets, *some])


def pattern(name: str, keys: Keys) -> str:
    """What matches the key or the channel of that name, of every version and every database."""
    if name == "release":
        return _escaped(keys.release(0).removesuffix("0")) + "*"
    if name == "notices":
        return _escaped(keys.notices.removesuffix(str(keys.database))) + "*"
    return _escaped(str(getattr(keys, name)))


def _by_mode(commands: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The commands by the permission that they need on a key, without those that nobody needs."""
    modes: dict[str, list[str]] = {"%R~": [], "%W~": [], "~": []}
    for command in commands:
        mode = "~" if command in _READING_AND_WRITING else "%W~" if command in _WRITING else "%R~"
        modes[mode].append(command)
    return [(mode, tuple(some)) for mode, some in modes.items() if some]


def _added(commands: Iterable[str]) -> list[str]:
    return [f"+{command}" for command in commands]


def _escaped(text: str) -> str:
    """Text in which no character of a pattern means more than itself."""
    return re.sub(r"([*?\[\]\\^])", r"\\\1", text)
