"""Whatever stands in Redis, on a disk or on the network: a decoder takes it or says no, within bounds."""

from __future__ import annotations

import contextlib
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.publisher_decoders import PUBLISHER_DECODERS
from support.scale import scaled
from support.worker_decoders import WORKER_DECODERS

if TYPE_CHECKING:
    from pathlib import Path

    from support.decoder import Decoder

DECODERS = (*WORKER_DECODERS, *PUBLISHER_DECODERS)
BOMBS = [pytest.param(each, at, id=f"{each.name}, {at}") for each in DECODERS for at in range(len(each.bombs))]
TOKENS = (
    *(bytes([each]) for each in (0, 0x0A, 0x22, 0x2C, 0x3A, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0x80, 0x90, 0xC0, 0xC1)),
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\x7f\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00",
    b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
    b"\xd6\xff\x00\x00\x00\x01",
    b"NaN",
    b"1e999",
    b"9" * 5000,
    b"-1",
    b"null",
    b"\\ud800",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"[" * 2000,
    b'{"":' * 2000,
    b"&a *a",
    b"..",
    b"%",
    b"\r\n",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("decoders")


@st.composite
def changed(draw: st.DrawFn, samples: tuple[bytes, ...]) -> bytes:
    """A sample in which some bytes are others, are gone, or came in; or noise."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    raw = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, len(raw)))
        end = min(len(raw), begin + draw(st.integers(0, 12)))
        put = draw(st.sampled_from(TOKENS) | st.binary(max_size=4) | st.just(raw[begin:end] * 2))
        raw = raw[:begin] + put + raw[end:]
    return raw


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_what_a_decoder_is_meant_for_is_taken(decoder: Decoder, folder: Path) -> None:
    taken = 0
    for sample in decoder.samples:
        with contextlib.suppress(*decoder.raises):
            decoder.decode(sample, folder)
            taken += 1

    assert taken


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_a_decoder_takes_what_it_is_given_or_refuses_it(decoder: Decoder, folder: Path) -> None:
    @settings(max_examples=scaled(test=12, soak=3000), database=None)
    @given(raw=changed(decoder.samples))
    def feed(raw: bytes) -> None:
        with contextlib.suppress(*decoder.raises):
            decoder.decode(raw, folder)

    feed()


@pytest.mark.slow
@pytest.mark.parametrize(("decoder", "at"), BOMBS)
def test_a_bomb_costs_no_more_memory_than_what_it_looks_like(decoder: Decoder, at: int, folder: Path) -> None:
    bomb = decoder.bombs[at]
    tracemalloc.start()

    with contextlib.suppress(*decoder.raises):
        decoder.decode(bomb, folder)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < decoder.at_once + decoder.growth * len(bomb)
