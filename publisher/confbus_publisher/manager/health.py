"""Whether a configuration manager has a configuration to read, in the words of the guide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus_publisher.manager.metrics import utc_now

if TYPE_CHECKING:
    from confbus_publisher.manager.manager import ConfigManager


def config_health(manager: ConfigManager | None, *, max_age_s: float | None = None) -> dict[str, Any]:
    """Plain values for a health route about `manager`, such as `get_config_manager()`: `status` is healthy or
    unhealthy, and where not, `reason` says why.

    Unhealthy is one that was not initialized or has nothing to read, and, only if you ask for it, one that did not look
    at its sources to the end for `max_age_s` seconds. A source that fails makes nobody unhealthy: its last good values
    are read on, and a restart would take them away. It answers from memory, from any thread.
    """
    if manager is None:
        return {"status": "unhealthy", "reason": "Config manager not initialized"}
    metrics, reason = manager.get_metrics(), ""
    last = metrics.last_reload_time
    if metrics.current_version is None:
        reason = "there is nothing to read"
    elif max_age_s is not None and (last is None or (utc_now() - last).total_seconds() > max_age_s):
        reason = f"the sources were not looked at within {max_age_s:g} s"
    count = metrics.config_sources_count
    return {
        "status": "unhealthy" if reason else "healthy",
        **({"reason": reason} if reason else {}),
        "version": metrics.current_version,
        "metrics": {
            "total_reloads": metrics.total_reloads,
            "success_rate": metrics.successful_reloads / max(metrics.total_reloads, 1),
            "avg_reload_time_ms": metrics.average_reload_time_ms,
            "healthy_sources": f"{count - metrics.failing_sources_count}/{count}",
        },
        "last_reload": last.isoformat() if last else None,
    }
