"""Points in time as people and programs like them."""

from __future__ import annotations

from datetime import UTC, datetime

from confbus_publisher.quantity import parse_seconds

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))
_DAY_MS = 86_400_000


def age(at_ms: int, now_ms: int) -> str:
    """How long ago that was, in the largest unit of which there are two: `90 s`, `5 min`, `3 d`."""
    seconds = max(0, now_ms - at_ms) // 1000
    for name, length in _UNITS:
        if seconds >= 2 * length:
            return f"{seconds // length} {name}"
    return f"{seconds} s"


def local(at_ms: int) -> str:
    """The local date and time of day."""
    return datetime.fromtimestamp(_within_calendar(at_ms) / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def iso(at_ms: int) -> str:
    """RFC 3339, in UTC."""
    # A float would be a microsecond less, and cut to the millisecond before.
    seconds, ms = divmod(_within_calendar(at_ms), 1000)
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=ms * 1000)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_past(text: str, now_ms: int) -> int | None:
    """The Unix time in milliseconds that `text` means: so long ago (90s, 2h, 7d), or a date, with a time of day and an
    offset if need be (local time without one); None when it means none."""
    return _parsed(text, now_ms, sign=-1)


def parse_future(text: str, now_ms: int) -> int | None:
    """As `parse_past`, but so long from now on."""
    return _parsed(text, now_ms, sign=1)


def _parsed(text: str, now_ms: int, *, sign: int) -> int | None:
    text = text.strip()
    seconds = None if text.isdecimal() else parse_seconds(text)  # 20300131 is a date
    if seconds is not None:
        return max(0, now_ms + sign * round(seconds * 1000))
    try:
        return max(0, round(datetime.fromisoformat(text).astimezone().timestamp() * 1000))
    except (ValueError, OverflowError):
        return None


def _within_calendar(at_ms: int) -> int:
    """The same, or, for what somebody made up, a day before the calendar ends: local time may be ahead."""
    from confbus.wire.release import MAX_AT_MS  # brings msgpack along, which a command is declared without

    return min(at_ms, MAX_AT_MS - _DAY_MS)
