"""Bytes from a file or a server as text."""

from __future__ import annotations

import codecs

from confbus.errors import SourceFailed


def decode(content: bytes, *, origin_name: str) -> str:
    """The UTF-8 text of `content`, without a byte order mark. Raises `SourceFailed` with the line and the offset."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        reason = "this is UTF-16 or UTF-32, not UTF-8"
        raise SourceFailed(origin_name, f"{origin_name}:1", reason, advice="Save it as UTF-8.")
    body = content.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode()
    except UnicodeDecodeError as failure:
        at = failure.start + len(content) - len(body)
        line = content.count(b"\n", 0, at) + 1
        reason = f"the byte at offset {at} is no UTF-8"
        raise SourceFailed(origin_name, f"{origin_name}:{line}", reason, advice="Save it as UTF-8.") from None
