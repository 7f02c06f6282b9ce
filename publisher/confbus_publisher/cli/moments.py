"""Points in time as people and programs like them."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def age(at_ms: int, now_ms: int) -> str:
    """How long ago that was, in the largest unit of which there are two: `90 s`, `5 min`, `3 d`."""
    seconds = max(0, now_ms - at_ms) // 1000
    for name, length in _UNITS:
        if seconds >= 2 * length:
            return f"{seconds // length} {name}"
    return f"{seconds} s"


def local(at_ms: int) -> str:
    """The local date and time of day."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def iso(at_ms: int) -> str:
    """RFC 3339, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
