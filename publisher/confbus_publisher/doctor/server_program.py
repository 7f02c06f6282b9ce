"""What the server is, whether it runs scripts, which time it has, and what it does not tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confbus_publisher.doctor.finding import Finding, Trouble, fine, unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.errors import ConfBusError
    from confbus_publisher.doctor.server_facts import ServerFacts

AWAY = Trouble(
    "server",
    "error",
    "no-server",
    "Workers keep what they have, and those that start have their fallback file at best; nothing can be published.",
)
TOO_OLD = Trouble("server", "error", "old-server", "confbus needs what Redis has since 6.2, such as COPY.")
UNKNOWN = Trouble(
    "server",
    "warning",
    "unknown-server",
    "confbus is tried with Redis and Valkey alone; others differ in scripts, pub/sub and persistence.",
)
NO_LUA = Trouble("server", "error", "no-lua", "Every change is one Lua script, so that it is whole or not at all.")
SKEWED = Trouble(
    "server",
    "warning",
    "clock-skew",
    "Releases, the log and the ends of overrides have the server's time: what is typed here is off by this.",
)
_LEAST = (6, 2)
_MOST_SKEW_S = 5
_TOLD_BY = {
    "INFO": "version, memory, persistence, replicas and clients",
    "CONFIG GET": "limits of pubsub, snapshots and min-replicas-to-write",
    "A script": "whether scripts run",
    "TIME": "the server's clock",
}


def away(error: ConfBusError) -> Finding:
    """There is no server to look at, or none that lets this login in."""
    return AWAY.found(error.message.rstrip("."), error.advice or "Mend the URL, the login or the server.")


def program(server: ServerFacts) -> Iterator[Finding]:
    """Kind and version of the server."""
    info = server.info
    if "redis_version" not in info:
        return
    claimed = str(info["redis_version"])
    stranger = next((name for name in info if re.fullmatch(r"(dragonfly|garnet|kvrocks|keydb)_version", name)), "")
    if stranger:
        advice = "Use Redis from 6.2 on, or Valkey."
        yield UNKNOWN.found(f"it is {stranger.partition('_')[0]} {info[stranger]}", advice)
    elif _numbers(claimed) < _LEAST:
        yield TOO_OLD.found(f"it is Redis {claimed}", "Upgrade it: Redis from 6.2 on, or Valkey.")
    elif "valkey_version" in info:
        yield fine("server", f"Valkey {info['valkey_version']} at {server.url}")
    else:
        yield fine("server", f"Redis {claimed} at {server.url}")


def scripts(server: ServerFacts) -> Iterator[Finding]:
    """Whether Lua runs."""
    if server.lua:
        advice = "Load the server's Lua module, or allow EVAL and EVALSHA again."
        yield NO_LUA.found(f"a script was refused: {server.lua}", advice)
    elif "A script" not in server.refusals:
        yield fine("server", "scripts run")


def clock(server: ServerFacts) -> Iterator[Finding]:
    """The difference to the clock of this machine."""
    if server.skew_ms is None:
        return
    skew_s = server.skew_ms / 1000
    if abs(skew_s) > _MOST_SKEW_S:
        side = "ahead of" if skew_s > 0 else "behind"
        what = f"its clock is {abs(skew_s):,.0f} s {side} the one of this machine"
        yield SKEWED.found(what, "Set both by NTP. No decision of confbus depends on it.")
    else:
        yield fine("server", "its clock agrees with the one of this machine")


def untold(server: ServerFacts) -> Iterator[Finding]:
    """What many managed servers do not tell, and a user with few rights is not told."""
    for command, reason in server.refusals.items():
        yield unseen("server", _TOLD_BY[command], f"{command} is refused: {reason}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
