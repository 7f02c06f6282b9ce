"""Whether news reach the workers, and in time."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from confbus_publisher.doctor.finding import Finding, Trouble, fine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.doctor.server_facts import ServerFacts

SLOW = Trouble(
    "server",
    "warning",
    "slow-round-trip",
    "A publish takes about four trips from the sources to the workers, and is meant to be there within 100 ms.",
)
NARROW = Trouble(
    "server",
    "warning",
    "narrow-notices",
    "A worker that is busy for a moment is cut off, and learns of a release only when it is back.",
)
BOUNDLESS = Trouble(
    "server",
    "warning",
    "boundless-notices",
    "What a worker that hangs does not read stays in the server's memory, without end.",
)
CUT_OFF = Trouble(
    "server",
    "warning",
    "clients-cut-off",
    "The server closed connections whose answers were not read; a worker among them learns late of releases.",
)
TURNED_AWAY = Trouble(
    "server",
    "warning",
    "clients-turned-away",
    "Who is turned away, a worker that starts among them, gets no configuration.",
)
_GOAL_MS = 100
_TRIPS = 4
_LEAST_HARD, _LEAST_SOFT = 1024 * 1024, 256 * 1024
_SHARE = 0.9


def latency(server: ServerFacts) -> Iterator[Finding]:
    """The round trip from here; a single slow one is no trouble."""
    if not server.pings_ms:
        return
    middle, worst = median(server.pings_ms), max(server.pings_ms)
    text = f"round trip: {_ms(middle)} in the middle, {_ms(worst)} at most"
    if middle > _GOAL_MS / _TRIPS:
        yield SLOW.found(text, "Run publisher and workers near the server, and see what keeps it busy: SLOWLOG GET.")
    else:
        yield fine("server", text)


def buffers(server: ServerFacts) -> Iterator[Finding]:
    """How much may wait for a worker before the server cuts it off."""
    hard, soft = _limits(server.config.get("client-output-buffer-limit", ""))
    if hard is None or soft is None:
        return
    advice = "CONFIG SET client-output-buffer-limit 'pubsub 32mb 8mb 60', which is the default."
    if not hard and not soft:
        yield BOUNDLESS.found("client-output-buffer-limit has none for pubsub", advice)
    elif 0 < hard < _LEAST_HARD or 0 < soft < _LEAST_SOFT:
        what = f"client-output-buffer-limit allows pubsub {hard:,} bytes, or {soft:,} for a while"
        yield NARROW.found(what, advice)
    else:
        yield fine("server", f"notices: {hard:,} bytes may wait for a worker")


def connections(server: ServerFacts) -> Iterator[Finding]:
    """Who was cut off or turned away since the server started, and how many more fit."""
    cut = server.number("client_output_buffer_limit_disconnections") + server.number("evicted_clients")
    if cut:
        advice = "CLIENT LIST shows whose omem is large; a worker follows again by itself."
        yield CUT_OFF.found(f"the server cut off {cut:,} clients", advice)
    turned_away, most, now = map(server.number, ("rejected_connections", "maxclients", "connected_clients"))
    if turned_away or (most and now > _SHARE * most):
        what = f"{now:,} of {most:,} clients are connected, {turned_away:,} were turned away"
        yield TURNED_AWAY.found(what, "Raise maxclients, and the server's limit of open files.")
    elif most:
        yield fine("server", f"clients: {now:,} of {most:,}")


def _limits(text: str) -> tuple[int | None, int | None]:
    """The hard and the soft limit for pubsub in bytes."""
    words = text.split()
    if "pubsub" not in words:
        return None, None
    hard, soft, *_ = (*words[words.index("pubsub") + 1 :], "", "")
    return (int(hard), int(soft)) if hard.isdecimal() and soft.isdecimal() else (None, None)


def _ms(value: float) -> str:
    return f"{value:.2g} ms" if value < 10 else f"{value:,.0f} ms"
