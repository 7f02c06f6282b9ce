"""Secret references: what they may say, and how they travel as what they are."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
from typing import Any

import msgpack as _untyped  # pyright: ignore[reportMissingTypeStubs]  # ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import InvalidDocument, Malformed
from confbus.wire import codec
from confbus.wire.diff import diff, same
from confbus.wire.frozen import Frozen, Reference, Referring, freeze
from confbus.wire.reference import fault_of, spelled
from support.documents import documents

msgpack: Any = _untyped
PASSWORD = Reference("env:DB_PASSWORD")


@pytest.mark.parametrize(
    "text",
    [
        "env:DB_PASSWORD",
        "env:_x1",
        "file:/run/secrets/db",
        "file:/run/secrets/name with spaces",
        "vault:kv/data/db#password",
        "vault:kv/data/team/db#pass word",
    ],
)
def test_what_leads_to_a_secret_is_a_reference(text: str) -> None:
    assert fault_of(Reference(text)) == ""
    assert repr(Reference(text)) == str(Reference(text)) == f"!secret {text}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "scheme is missing"),
        ("DB_PASSWORD", "scheme is missing"),
        ("op:vault/item", "not known"),
        ("ENV:X", "not known"),
        ("env:", "nothing comes after"),
        ("file:  ", "nothing comes after"),
        ("env:1X", "letters, digits"),
        ("env:A-B", "letters, digits"),
        ("env:PÄSS", "letters, digits"),
        ("file:secrets/db", "begin with /"),
        ("file:/run/../etc/shadow", ".."),
        ("file:/run/\x00x", "cannot be seen"),
        ("file:/run/x\n", "cannot be seen"),
        ("vault:kv/data/db", "field"),
        ("vault:kv/data/db#", "field"),
        ("vault:db#password", "names no secret"),
        ("vault:kv//db#password", "names no secret"),
        ("vault:kv/../sys/raw#x", "names no secret"),
        ("vault:kv/data/db?version=1#x", "names no secret"),
        ("file:/" + "x" * codec.MAX_REFERENCE_BYTES, "more than"),
    ],
)
def test_what_leads_nowhere_has_a_fault_that_says_why(text: str, fault: str) -> None:
    assert fault in fault_of(Reference(text))


@given(text=st.text(max_size=60))
def test_any_text_has_a_fault_or_none(text: str) -> None:
    assert isinstance(fault_of(Reference(text)), str)
    assert fault_of(Reference(text)) or ":" in text


def test_a_reference_is_a_value_that_nobody_changes() -> None:
    with pytest.raises(AttributeError):
        PASSWORD.text = "env:OTHER"

    assert Reference("env:DB_PASSWORD") == PASSWORD
    assert len({PASSWORD, Reference("env:DB_PASSWORD"), Reference("env:X")}) == 2
    assert copy.deepcopy(PASSWORD) == pickle.loads(pickle.dumps(PASSWORD)) == PASSWORD
    assert not same(PASSWORD, "!secret env:DB_PASSWORD")


def test_a_reference_is_one_leaf_of_a_diff() -> None:
    [change] = diff(freeze({"a": {"b": PASSWORD}}), freeze({"a": {"b": Reference("env:X")}}))

    assert (change.path, change.old_value, change.new_value) == ("a.b", PASSWORD, Reference("env:X"))


def test_json_spells_a_reference_as_a_mapping_of_one_key() -> None:
    assert json.loads(json.dumps({"p": PASSWORD}, default=spelled)) == {"p": {"$secret": "env:DB_PASSWORD"}}
    with pytest.raises(TypeError, match="set"):
        json.dumps({"p": {1}}, default=spelled)


def test_a_reference_comes_out_as_it_went_in_and_where_it_is_known() -> None:
    document = {"pool": {"size": 5}, "database": {"password": PASSWORD, "hosts": [{"token": Reference("file:/x")}]}}

    decoded = codec.decode(codec.encode(document), what="a test")

    assert same(decoded, document)
    assert isinstance(decoded, Referring)
    assert decoded.references == {
        ("database", "password"): PASSWORD,
        ("database", "hosts", 0, "token"): Reference("file:/x"),
    }
    assert pickle.loads(pickle.dumps(decoded)).references == decoded.references


@given(document=documents)
def test_a_document_without_references_is_the_plain_kind_of_mapping(document: dict[str, Any]) -> None:
    assert type(codec.decode(codec.encode(document), what="a test")) is Frozen


def test_references_are_canonical_whichever_way_they_are_encoded() -> None:
    plain = {"a": PASSWORD, "b": [1]}
    odd: dict[str, Any] = {"b": (1,), "a": PASSWORD}

    assert codec.encode(plain) == codec.encode(odd)
    assert codec.encode({"a": PASSWORD.text}) != codec.encode({"a": PASSWORD})


@pytest.mark.parametrize("value", [{"a": Reference("op:x")}, {"a": Reference("op:x"), "b": (1,)}])
def test_a_reference_with_a_fault_is_not_encoded(value: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument, match="not known") as caught:
        codec.encode(value, at=("database",))

    assert caught.value.path == "database.a"


def extension(code: int, data: bytes) -> bytes:
    return bytes(msgpack.packb({"a": PASSWORD.text, "b": msgpack.ExtType(code, data)}))


@pytest.mark.parametrize(
    "blob",
    [
        extension(2, b"env:X"),
        extension(127, b"env:X"),
        extension(1, b"\xff\xfe"),
        extension(1, b"file:/" + b"x" * codec.MAX_REFERENCE_BYTES),
        msgpack.packb({"a": msgpack.Timestamp(1, 1)}),
        msgpack.packb({"a": [msgpack.ExtType(1, b"env:X"), msgpack.Timestamp(2**33, 0)]}),
        msgpack.packb({"a": {"b": msgpack.Timestamp(2**40, 5), "c": msgpack.ExtType(1, b"env:X")}}),
    ],
)
def test_other_extensions_and_the_timestamp_are_malformed(blob: bytes) -> None:
    with pytest.raises(Malformed):
        codec.decode(blob, what="an attack")


def test_references_deeper_than_anybody_encodes_are_malformed() -> None:
    deep: Any = msgpack.ExtType(1, b"env:X")
    for _ in range(102):
        deep = {"a": deep}

    with pytest.raises(Malformed):
        codec.decode(msgpack.packb(deep), what="an attack")


def test_a_scheme_that_this_version_does_not_know_is_decoded_and_has_a_fault() -> None:
    decoded = codec.decode(extension(1, b"later:x"), what="a test")

    assert fault_of(decoded["b"])


@given(code=st.integers(-128, 127), data=st.binary(max_size=40), cut=st.integers(0, 40), flipped=st.integers(0, 255))
def test_damaged_references_are_decoded_or_malformed(code: int, data: bytes, cut: int, flipped: int) -> None:
    blob = bytearray(extension(1, b"env:X") + b"")
    with contextlib.suppress(ValueError):
        blob = bytearray(extension(code, data))
    blob[cut % len(blob)] = flipped

    with contextlib.suppress(Malformed):
        codec.decode(bytes(blob), what="damage")
