"""Sealed sections: deterministic, bound to their place, and closed to whoever has no key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import Malformed, SealBroken
from confbus.seal import seal, unseal
from confbus.wire.record import replace
from confbus.wire.sealed import Envelope, is_sealed, parse
from confbus.wire.sections import SEAL
from support.seals import key

K1, K2 = key("k1"), key("k2")
PLAIN = b"the bytes of a section"


def sealed(plain: bytes = PLAIN, *, namespace: str = "shop", section: str = "database", under: str = "k1") -> bytes:
    return seal(key(under), namespace=namespace, section=section, plain=plain)


def opened(blob: bytes, *, namespace: str = "shop", section: str = "database", under: str = "k1") -> bytes:
    return unseal(key(under), parse(blob, what="it"), namespace=namespace, section=section)


def opened_by_any(blob: bytes) -> bytes:
    """By a key that has whatever id the envelope asks for."""
    envelope = parse(blob, what="it")
    return unseal(replace(K1, id=envelope.key), envelope, namespace="shop", section="database")


@given(plain=st.binary(max_size=2000))
def test_what_was_sealed_is_opened_as_it_was(plain: bytes) -> None:
    assert opened(sealed(plain)) == plain


def test_one_content_under_one_key_gives_the_same_bytes_again() -> None:
    assert sealed() == sealed()


def test_place_key_and_content_each_change_every_part_of_the_envelope() -> None:
    envelopes = [
        parse(blob, what="it")
        for blob in (
            sealed(),
            sealed(namespace="other"),
            sealed(section="other"),
            sealed(under="k2"),
            sealed(b"x" + PLAIN[1:]),
        )
    ]

    for part in ("fingerprint", "nonce", "box"):
        assert len({getattr(envelope, part) for envelope in envelopes}) == len(envelopes)


def test_neither_the_plain_bytes_nor_an_unkeyed_digest_of_them_are_in_it() -> None:
    import hashlib

    blob = sealed()

    assert PLAIN not in blob
    for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.sha512):
        assert digest(PLAIN).digest() not in blob
        assert digest(PLAIN).hexdigest().encode() not in blob


@pytest.mark.parametrize(
    "elsewhere", [{"namespace": "other"}, {"section": "other"}, {"section": "database2"}, {"namespace": "shopdatabase"}]
)
def test_what_was_moved_to_another_place_does_not_open(elsewhere: dict[str, str]) -> None:
    with pytest.raises(SealBroken):
        opened(sealed(), **elsewhere)


def test_another_key_of_the_same_id_does_not_open_it() -> None:
    envelope = parse(sealed(), what="it")

    with pytest.raises(SealBroken):
        unseal(replace(K2, id="k1"), envelope, namespace="shop", section="database")


@given(data=st.data())
def test_no_altered_byte_goes_unnoticed(data: st.DataObject) -> None:
    blob = bytearray(sealed())
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises((SealBroken, Malformed)):
        opened_by_any(bytes(blob))


@given(junk=st.binary(max_size=300))
def test_whatever_comes_is_an_envelope_or_malformed(junk: bytes) -> None:
    for blob in (junk, SEAL + junk):
        try:
            envelope = parse(blob, what="it")
        except Malformed:
            continue
        assert parse(envelope.encode(), what="it") == envelope


def test_no_part_of_a_key_or_a_box_is_in_a_repr() -> None:
    envelope = parse(sealed(), what="it")

    assert repr(envelope) == "Envelope(key='k1')"
    assert repr(K1.secret)[2:10] not in repr(K1)
    assert is_sealed(sealed())
    assert not is_sealed(b"")
    assert isinstance(envelope, Envelope)
