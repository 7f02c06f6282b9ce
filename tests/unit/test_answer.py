"""What a server said, whatever it said."""

from __future__ import annotations

import gzip
import io
import zlib
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confbus_publisher.formats.limits import Unfit
from confbus_publisher.sources.remote.answer import Answer, read_answer
from support.http_server import head
from support.scale import scaled

if TYPE_CHECKING:
    import socket

LIMIT = 1000
STARTS = [
    b"",
    b"HTTP/1.1 ",
    b"HTTP/1.1 200 OK\r\n",
    head(),
    head(content_length="20"),
    head(content_encoding="gzip"),
    head(transfer_encoding="chunked") + b"5\r\n",
    head(404),
]


class Wire:
    """As much of a socket as a response needs."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._raw)


def answer(raw: bytes) -> Answer:
    with HTTPResponse(cast("socket.socket", Wire(raw))) as response:
        response.begin()
        return read_answer(response, limit_bytes=LIMIT)


@settings(max_examples=scaled(test=300, soak=20_000))
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=300), size=st.sampled_from([0, 1, 2000]))
def test_no_bytes_at_all_can_do_more_than_fail(start: bytes, rest: bytes, size: int) -> None:
    raw = start + rest + b"0" * size

    try:
        read = answer(raw)
    except (HTTPException, OSError, ValueError):  # what a fetch turns into words
        return

    assert len(read.body) <= max(LIMIT, 65536)


@settings(max_examples=scaled(test=100, soak=5000))
@given(body=st.binary(max_size=LIMIT + 100), packing=st.sampled_from(["gzip", "deflate"]))
def test_what_is_packed_comes_out_whole_or_is_too_large(body: bytes, packing: str) -> None:
    packed = gzip.compress(body) if packing == "gzip" else zlib.compress(body)
    raw = head(content_encoding=packing) + packed

    if len(body) > LIMIT:
        with pytest.raises(Unfit, match="larger than 1,000 bytes"):
            answer(raw)
    else:
        assert answer(raw).body == body


@given(cut=st.integers(1, 60))
def test_a_packed_body_that_is_cut_is_never_taken(cut: int) -> None:
    packed = gzip.compress(b"configuration " * 20)

    with pytest.raises(Unfit, match="not whole"):
        answer(head(content_encoding="gzip") + packed[: -min(cut, len(packed))])


def test_an_etag_that_could_not_be_sent_back_is_forgotten() -> None:
    read = answer(b'HTTP/1.1 200 OK\r\nETag: "a\r\n b"\r\nLast-Modified: today\r\nContent-Length: 0\r\n\r\n')

    assert read.headers == {"last-modified": "today"}
