"""Sizes and durations as people write them: `8 MiB`, `500ms`."""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"(?P<number>[0-9]{1,15}(?:\.[0-9]{1,9})?)\s*(?P<unit>[A-Za-z]*)")
_BYTES = {"": 1, "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def parse_bytes(text: str) -> int | None:
    """The bytes that `text` means, at least one, or None when it means no size."""
    found = _QUANTITY.fullmatch(text.strip())
    if found is None or found["unit"] not in _BYTES:
        return None
    return int(float(found["number"]) * _BYTES[found["unit"]]) or None


def parse_seconds(text: str) -> float | None:
    """The seconds that `text` means, more than none, or None when it means no duration."""
    found = _QUANTITY.fullmatch(text.strip())
    if found is None or found["unit"] not in _SECONDS:
        return None
    return float(found["number"]) * _SECONDS[found["unit"]] or None
