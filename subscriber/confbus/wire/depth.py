"""How deep msgpack is nested, found in native code: no Python code runs over what a section holds.

The decoder has a limit of its own, ten times that of a document, and whoever walks over a document recurses. So a blob
is skipped over within as many lists as leave just the levels of a document below that limit.
"""

from __future__ import annotations

import msgpack as _untyped  # pyright: ignore[reportMissingTypeStubs]  # ships no types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

msgpack: Any = _untyped
_LIST_OF_ONE = b"\x91"
_MOST = 4096
_BEGINNINGS = bytes((*range(0x80, 0xA0), 0xDC, 0xDD, 0xDE, 0xDF))
_limit = 0


def is_deeper(blob: bytes, levels: int) -> bool:
    """Whether what is in `blob`, which was decoded before, is nested deeper than so many levels. Where msgpack is
    written in Python alone, its own recursion is the limit, and this is never true."""
    if len(blob) - len(blob.translate(None, _BEGINNINGS)) <= levels:  # too few bytes that begin a mapping or a list
        return False
    return not _passes(max(0, _native_limit() - levels), blob)


def _native_limit() -> int:
    """How many levels this msgpack takes; looked for once."""
    global _limit  # noqa: PLW0603 — it is the same for the whole process
    if not _limit:
        fits, fails = 0, _MOST
        while fails - fits > 1 and "fallback" not in str(msgpack.Unpacker.__module__):
            middle = (fits + fails) // 2
            fits, fails = (middle, fails) if _passes(middle, b"\xc0") else (fits, middle)
        _limit = fits or -1
    return _limit


def _passes(levels: int, blob: bytes) -> bool:
    skipping = msgpack.Unpacker(max_buffer_size=levels + len(blob), strict_map_key=False)
    skipping.feed(_LIST_OF_ONE * levels)
    skipping.feed(blob)
    try:
        skipping.skip()
    except (ValueError, msgpack.UnpackException):
        return False
    return True
