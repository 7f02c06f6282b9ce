"""Whether a worker has a configuration: asked from inside by `health`, from beside by `python -m confbus health`.

From beside, a process is seen by what it reports to the fleet. Being up does not depend on Redis: workers read on while
it is away, and restarting them then would take away what they have.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from confbus.address import redacted
from confbus.connection import ErrorReply, ask
from confbus.dial import dialled
from confbus.errors import ConfBusError, InvalidSettings, Unreachable
from confbus.link import reason_of
from confbus.names import printable
from confbus.status import interval_of
from confbus.wire.keys import Keys

if TYPE_CHECKING:
    from confbus.durations import Durations
    from confbus.status import Status
    from confbus.subscriber import Subscriber

SILENT_INTERVALS = 3
"""After that many of its intervals without a report, an instance is taken for dead."""


def health(config: Subscriber, *, max_age_s: float | None = None) -> dict[str, Any]:
    """Plain values for a health route: `status` is healthy or unhealthy, and where not, `reason` says why.

    Unhealthy is a worker without a configuration, one that was closed, and, only if you ask for it, one whose
    configuration was last confirmed more than `max_age_s` seconds ago. Nothing is asked of Redis. `metrics` and
    `last_reload` are in the words of the guide: a reload is a release that was judged, the one source is Redis,
    `avg_reload_time_ms` counts from the first call on, and `last_reload`, in UTC, is when the head was last confirmed.
    """
    times = config.measure().applies
    status = config.status()
    age_s = None if status.verified_age_s == float("inf") else round(status.verified_age_s, 3)
    reason = ""
    if status.state == "closed":
        reason = "the subscriber was closed"
    elif status.running is None:
        reason = status.hindrance
    elif max_age_s is not None and (age_s is None or age_s > max_age_s):
        reason = f"the configuration was not confirmed within {max_age_s:g} s"
    return {
        "status": "unhealthy" if reason else "healthy",
        **({"reason": reason} if reason else {}),
        "namespace": status.namespace,
        "instance": status.instance,
        "state": status.state,
        "version": status.running.version if status.running else None,
        "seen_version": status.seen.version if status.seen else None,
        "verified_age_s": age_s,
        "error": status.error,
        "locked": list(status.locked),
        "metrics": _metrics(status, times),
        "last_reload": status.verified_at.replace(tzinfo=None).isoformat() if status.verified_at else None,
    }


class Instance(NamedTuple):
    """One process, as it last described itself, `heard_s` seconds ago by the server's clock."""

    name: str
    role: str
    state: str
    version: int | None
    heard_s: float
    interval_s: float

    def complaint(self, max_age_s: float | None) -> str:
        """Why it does not count as up, or the empty text."""
        limit_s = SILENT_INTERVALS * self.interval_s if max_age_s is None else max_age_s
        if self.heard_s > limit_s:
            return f"silent for more than {limit_s:g} s"
        if self.role == "subscriber" and self.version is None:
            return "has no configuration"
        return ""


def instances(url: str, namespace: str, host: str) -> list[Instance]:
    """Who reports from `host`, by name. Raises `Unreachable` when Redis is away, `InvalidSettings` when it says no."""
    keys = Keys(namespace)
    try:
        connection = dialled(url, keys).open("confbus:health")
        try:
            now_s, told = _parsed(*ask(connection, ("TIME",), ("HGETALL", keys.fleet)))
        finally:
            connection.close()
    except ErrorReply as error:
        if str(error).startswith("LOADING"):
            raise Unreachable(redacted(url), str(error)) from error
        raise InvalidSettings(
            redacted(url), f"Redis refused: {printable(reason_of(error))}", advice="Check the login and its rights."
        ) from error
    except ConfBusError:
        raise
    except Exception as error:
        raise Unreachable(redacted(url), printable(reason_of(error))) from error
    reports = (_read(name, report, now_s) for name, report in told)
    return sorted(each for each in reports if each is not None and each.name.rsplit(":", 2)[0] == host)


def _parsed(time: Any, fields: Any) -> tuple[float, list[tuple[bytes, bytes]]]:
    try:
        seconds, micros = time
        return int(seconds) + int(micros) / 1e6, list(zip(fields[::2], fields[1::2], strict=True))
    except (TypeError, ValueError) as error:
        raise ValueError("what answers there is no Redis") from error


def _metrics(status: Status, times: Durations) -> dict[str, Any]:
    counts, timed = status.counts, sum(times.counts)
    total = counts.applied + counts.vetoes
    return {
        "total_reloads": total,
        "success_rate": counts.applied / max(total, 1),
        "avg_reload_time_ms": round(times.total_s * 1000 / max(timed, 1), 3),
        "healthy_sources": f"{int(status.is_connected)}/1",
    }


def _read(name: bytes, report: bytes, now_s: float) -> Instance | None:
    """None for what no instance writes: whoever may report may write anything."""
    try:
        facts: dict[str, Any] = json.loads(report)
        running: dict[str, Any] = facts.get("running") or {}
        return Instance(
            name=printable(name.decode("utf-8", "replace")),
            role=printable(str(facts.get("role", "subscriber"))),
            state=printable(str(facts["state"])),
            version=int(running["version"]) if running else None,
            heard_s=round(max(now_s - int(facts["at"]) / 1000, 0.0), 1),
            interval_s=interval_of(facts["interval_s"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None
