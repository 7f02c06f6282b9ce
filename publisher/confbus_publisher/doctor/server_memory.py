"""Whether the server keeps what it was given, and has room for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.doctor.finding import Finding, Trouble, fine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.doctor.server_facts import ServerFacts

EVICTING = Trouble(
    "server",
    "error",
    "evicting-policy",
    "When its memory is full, the server throws keys away, also those of the configuration.",
)
EVICTED = Trouble(
    "server",
    "warning",
    "evicted-keys",
    "Keys were thrown away since the server started; configuration may have been among them.",
)
FULL = Trouble(
    "server",
    "error",
    "no-memory-left",
    "The next release does not fit: the server refuses the write, or throws other keys away for it.",
)
SCARCE = Trouble(
    "server",
    "warning",
    "memory-scarce",
    "A full server refuses releases and the reports of workers, or throws keys away.",
)
_SCARCE = 0.9
_MB = 1_000_000


def memory(server: ServerFacts, *, release_bytes: int = 0) -> Iterator[Finding]:
    """Eviction, and the room that is left for a release as large as the last one."""
    info = server.info
    if "maxmemory_policy" not in info:
        return
    policy, most, used = str(info["maxmemory_policy"]), server.number("maxmemory"), server.number("used_memory")
    troubles = [*_eviction(policy, most, server.number("evicted_keys")), *_room(most, used, release_bytes)]
    troubles += _room_of_host(server) if not most else []
    yield from troubles
    if not troubles:
        limit = f"{_mb(used)} of {_mb(most)}" if most else f"{_mb(used)}, without a limit of its own"
        yield fine("server", f"memory: {limit}; its policy {policy} keeps configuration")


def _eviction(policy: str, most: int, evicted: int) -> Iterator[Finding]:
    if policy.startswith("allkeys-") and most:
        advice = "Set it to noeviction or volatile-lru, or give confbus a server that is no cache."
        yield EVICTING.found(f"maxmemory-policy is {policy}, with maxmemory {_mb(most)}", advice)
    if evicted:
        advice = "`confbus export` shows whether all is there; give the server more memory, or confbus its own."
        yield EVICTED.found(f"the server evicted {evicted:,} keys", advice)


def _room(most: int, used: int, release_bytes: int) -> Iterator[Finding]:
    if not most:
        return
    advice = "Raise maxmemory, or move what is no configuration elsewhere."
    left = max(0, most - used)
    if left < max(release_bytes, 1):
        yield FULL.found(f"{_mb(left)} of {_mb(most)} are left, the last release has {_mb(release_bytes)}", advice)
    elif used > _SCARCE * most:
        yield SCARCE.found(f"{_mb(left)} of {_mb(most)} are left", advice)


def _room_of_host(server: ServerFacts) -> Iterator[Finding]:
    used, most = server.number("used_memory_rss"), server.number("total_system_memory")
    if used > _SCARCE * most > 0:
        advice = "Set maxmemory below what the machine has, and look what fills it."
        yield SCARCE.found(f"it takes {_mb(used)} of the {_mb(most)} of its machine, and has no maxmemory", advice)


def _mb(size: int) -> str:
    return f"{size / _MB:,.1f} MB"
