"""Documents to bytes and back: nothing is lost, nothing is taken for something else, nothing false comes in."""

from __future__ import annotations

import contextlib
import gc
import random
import struct
import tracemalloc
from collections import OrderedDict
from enum import Enum, IntEnum
from typing import Any

import msgpack as _untyped  # pyright: ignore[reportMissingTypeStubs]  # ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import InvalidDocument, Malformed
from confbus.wire import codec
from confbus.wire.diff import same
from confbus.wire.frozen import Frozen, FrozenList
from support.documents import documents, shuffled, values

msgpack: Any = _untyped


def nested(levels: int) -> dict[str, Any]:
    """A mapping in a mapping … so many of them."""
    tree: dict[str, Any] = {}
    for _ in range(levels - 1):
        tree = {"a": tree}
    return tree


@given(value=values)
def test_what_goes_in_comes_out(value: Any) -> None:
    decoded = codec.decode(codec.encode(value), what="a test")

    assert same(decoded, value)


@given(document=documents, seed=st.integers())
def test_equal_documents_are_equal_bytes_whatever_the_order_of_keys(document: dict[str, Any], seed: int) -> None:
    blob = codec.encode(document)

    other = codec.encode(shuffled(document, random.Random(seed)))

    assert other == blob


@given(document=documents)
def test_the_bytes_are_those_of_any_msgpack_with_sorted_keys(document: dict[str, Any]) -> None:
    decoded = msgpack.unpackb(codec.encode(document))

    assert decoded == document
    assert list(decoded) == sorted(document)


def test_one_and_one_point_zero_and_true_are_three_values() -> None:
    different: list[Any] = [1, 1.0, True, "1", None, 0, 0.0, -0.0, False, "", [], {}]

    blobs = [codec.encode({"a": value}) for value in different]

    assert len(set(blobs)) == len(blobs)


def test_subclasses_are_encoded_as_what_they_are_underneath() -> None:
    class Level(IntEnum):
        HIGH = 2**40

    class Colour(str, Enum):  # noqa: UP042 — the old spelling, whose str() is "Colour.RED"
        RED = "red"

    blob = codec.encode({Colour.RED: Colour.RED, "c": Level.HIGH, "d": (1, 2), "e": OrderedDict(f=1)})

    assert codec.decode(blob, what="a test") == {"red": "red", "c": 2**40, "d": [1, 2], "e": {"f": 1}}


def test_what_is_decoded_is_frozen_all_the_way_down() -> None:
    decoded = codec.decode(codec.encode({"a": [{"b": []}]}), what="a test")

    assert type(decoded) is Frozen
    assert type(decoded["a"]) is FrozenList
    assert type(decoded["a"][0]) is Frozen
    assert type(decoded["a"][0]["b"]) is FrozenList


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "NaN"),
        (float("inf"), "infinities"),
        (-float("inf"), "infinities"),
        (2**64, "64 bits"),
        (-(2**63) - 1, "64 bits"),
        ({1, 2}, "set"),
        (b"bytes", "bytes"),
        (object(), "object"),
        ("\ud800", "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        ({1: 2}, "key 1 is no string"),
        ({None: 2}, "key None is no string"),
        ({1: 2, "a": 3}, "keys are not all strings"),
    ],
)
def test_what_is_no_configuration_is_refused_with_its_path(value: Any, reason: str) -> None:
    with pytest.raises(InvalidDocument, match=reason) as caught:
        codec.encode({"pool": [{"size.max": value}]}, at=("database",))

    assert caught.value.path == 'database.pool[0]["size.max"]'


@pytest.mark.parametrize("value", [2**64 - 1, -(2**63), 5e-324, 1.7976931348623157e308])
def test_the_last_numbers_that_fit_are_kept(value: float) -> None:
    assert same(codec.decode(codec.encode(value), what="a test"), value)


def test_a_hundred_levels_are_kept_and_one_more_is_refused() -> None:
    assert codec.decode(codec.encode(nested(100)), what="a test") == nested(100)

    with pytest.raises(InvalidDocument, match="100 levels") as caught:
        codec.encode(nested(101))

    assert caught.value.path.startswith("a.a.a")


def test_levels_are_counted_from_the_top_of_the_document() -> None:
    codec.encode(nested(98), at=("a", "b"))

    with pytest.raises(InvalidDocument, match="100 levels"):
        codec.encode(nested(99), at=("a", "b"))


def test_a_document_that_contains_itself_is_refused() -> None:
    document: dict[str, Any] = {}
    document["a"] = document

    with pytest.raises(InvalidDocument, match="100 levels"):
        codec.encode(document)


def test_no_refusal_tells_a_value() -> None:
    with pytest.raises(InvalidDocument) as caught:
        codec.encode({"password": b"hunter2"})

    assert "hunter2" not in str(caught.value)


@given(blob=st.binary(max_size=60))
def test_any_bytes_are_decoded_or_malformed(blob: bytes) -> None:
    with contextlib.suppress(Malformed):
        codec.decode(blob, what="noise")


@given(document=documents, cut=st.integers(0), flipped=st.integers(0, 255))
def test_damaged_bytes_are_decoded_or_malformed(document: dict[str, Any], cut: int, flipped: int) -> None:
    blob = bytearray(codec.encode(document))
    blob[cut % len(blob)] = flipped

    with contextlib.suppress(Malformed):
        codec.decode(bytes(blob), what="damage")
    with pytest.raises(Malformed):
        codec.decode(codec.encode(document)[:-1], what="damage")


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\xc1",
        b"\x01\x02",
        msgpack.packb({1: 2}),
        msgpack.packb({b"a": 2}),
        msgpack.packb({"a": b"b"}),
        msgpack.packb(msgpack.ExtType(5, b"")),
        msgpack.packb(msgpack.ExtType(5, b"abcdefgh")),
        b"\xd6\xff\x00\x00\x00\x01",
        b"\xa2\xc3\x28",
    ],
)
def test_what_is_no_plain_data_is_malformed(blob: bytes) -> None:
    with pytest.raises(Malformed, match=r"^section 'a' is malformed"):
        codec.decode(blob, what="section 'a'")


@pytest.mark.parametrize(
    "blob",
    [
        b"\x91" * 1_000_000,
        b"\x81\xa1a" * 300_000,
        b"\xdd" + struct.pack(">I", 2**32 - 1),
        b"\xdf" + struct.pack(">I", 2**32 - 1),
        b"\xdb" + struct.pack(">I", 2**32 - 1) + b"a",
        b"\xc6" + struct.pack(">I", 2**32 - 1) + b"a",
        (b"\xdd" + struct.pack(">I", 900_000)) * 200_000,
    ],
    ids=["lists in lists", "maps in maps", "list", "map", "text", "bytes", "lists that lie in lists that lie"],
)
def test_bytes_that_lie_about_their_size_cost_little_memory(blob: bytes) -> None:
    tracemalloc.start()

    with pytest.raises(Malformed):
        codec.decode(blob, what="a bomb")

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 128 * 1024 * 1024


def test_the_garbage_collector_is_on_again_after_a_large_decode() -> None:
    large = codec.encode({"a": ["x" * 100] * 5000})

    codec.decode(large, what="a test")
    with pytest.raises(Malformed):
        codec.decode(large[:-1], what="a test")

    assert gc.isenabled()


def test_a_digest_is_what_sha256sum_prints() -> None:
    assert codec.digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("shape", [b"\x91", b"\x81\xa1a", b"\xdc\x00\x01", b"\xde\x00\x01\xa1a"])
def test_what_is_deeper_than_a_document_is_malformed_before_anybody_recurses(shape: bytes) -> None:
    deepest = codec.decode(shape * codec.MAX_DEPTH + b"\x01", what="a section")

    for levels in (codec.MAX_DEPTH + 1, 500, 1000):
        with pytest.raises(Malformed, match="at most 100 levels"):
            codec.decode(shape * levels + b"\x01", what="a section")

    assert deepest
    assert codec.decode(msgpack.packb([[{"a": [at]}] for at in range(1000)]), what="a wide one")[999] == [{"a": [999]}]
