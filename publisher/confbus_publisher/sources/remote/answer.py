"""What a server said, as far as a source needs it, read with a bound on its size."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from http.client import IncompleteRead
from typing import TYPE_CHECKING

from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from http.client import HTTPResponse

LIMIT_BYTES = 8 * 1024 * 1024
OK, UNCHANGED = 200, 304
REDIRECTS = frozenset({301, 302, 303, 307, 308})
BUSY = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses of a server that may say something else in a moment."""

_KEPT = ("content-type", "etag", "last-modified", "location")
_AT_ONCE = 64 * 1024
_EXCUSE_BYTES = 64 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, the headers that matter under their names in lower case, and the body, unpacked.

    A body that does not `has_end` was over when the connection was: it may lack its last part.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    has_end: bool = True
    received_ms: int = 0

    @property
    def media_type(self) -> str:
        """The type in lower case without its parameters, or the empty text."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_no(self) -> bool:
        """Whether a server that is well refused: to ask again at once would change nothing."""
        return 300 <= self.status < 500 and self.status not in BUSY


def read_answer(response: HTTPResponse, *, limit_bytes: int) -> Answer:
    """`response` with its body. Of what comes with an error only the beginning is kept.

    Raises `Unfit` for a body over `limit_bytes`, packed or unpacked, and for a packing that is unknown, broken or cut
    off; `IncompleteRead` when the connection ended before the body did.
    """
    found = {name: response.headers.get(name, "") for name in _KEPT}
    headers = {name: value for name, value in found.items() if value and value.isprintable()}
    has_end = response.chunked or response.length is not None
    now_ms = time.time_ns() // 1_000_000
    if response.status != OK:
        return Answer(response.status, headers, response.read(_EXCUSE_BYTES), has_end, now_ms)
    if (response.length or 0) > limit_bytes:
        raise _too_large(limit_bytes)
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing in {"gzip", "x-gzip", "deflate"}:
        return Answer(OK, headers, _unpacked(response, limit_bytes), has_end=True, received_ms=now_ms)
    if packing not in {"", "identity"}:
        raise Unfit("the body is packed in a way that is not known", "Let the server send it plain, or as gzip.")
    body = _plain(response, limit_bytes)
    if not body and not has_end:  # The client takes the end of the connection for the end of the headers.
        raise IncompleteRead(b"")
    return Answer(OK, headers, body, has_end, now_ms)


def _parts(response: HTTPResponse) -> Iterator[bytes]:
    while part := response.read(_AT_ONCE):
        yield part
    if response.length:  # A short body ends without a word when it is read in parts.
        raise IncompleteRead(b"", response.length)


def _plain(response: HTTPResponse, limit_bytes: int) -> bytes:
    body = bytearray()
    for part in _parts(response):
        body += part
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
    return bytes(body)


def _unpacked(response: HTTPResponse, limit_bytes: int) -> bytes:
    """A thousand bytes may unpack to a million; never more than one byte over the limit comes into being."""
    unpacker = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
    body = bytearray()
    for part in _parts(response):
        try:
            body += unpacker.decompress(part, limit_bytes + 1 - len(body))
        except zlib.error:
            raise Unfit("the body says that it is gzip, and is not", "Mend the server.") from None
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
        if unpacker.unused_data:
            break
    if not unpacker.eof or unpacker.unused_data:
        raise Unfit("the packed body is not whole", "Mend the server, or the proxy before it.")
    return bytes(body)


def _too_large(limit_bytes: int) -> Unfit:
    return Unfit(f"the body is larger than {limit_bytes:,} bytes", "Is it the right URL? Else raise `limit:`.")
