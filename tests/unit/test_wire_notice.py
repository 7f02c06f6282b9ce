"""Notices: never too large, never believed when they are noise."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import msgpack as _untyped  # pyright: ignore[reportMissingTypeStubs]  # ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import Malformed
from confbus.wire import head as heads
from confbus.wire import notice as notices
from confbus.wire.head import Head
from confbus.wire.notice import HINT, MAX_BYTES, Hint, Notice
from support.documents import keys, values

msgpack: Any = _untyped
HEAD = heads.first(version=1, digest="0" * 64, merged="1" * 64)

ids = st.text("0123456789abcdef", min_size=1, max_size=64)
numbers = st.integers(0, 10**18 - 1)
some_heads = st.builds(
    Head,
    epoch=ids,
    lineage=st.lists(st.tuples(ids, st.integers(0, 10**18 - 1)), max_size=16).map(tuple),
    revision=numbers,
    change=ids,
    ancestors=st.lists(ids, max_size=16).map(tuple),
    version=numbers,
    digest=ids,
    merged=st.just("") | ids,
    protocol=numbers,
    readable_by=numbers,
)
sections = st.none() | st.dictionaries(keys, st.binary(max_size=9000) | ids | st.none(), max_size=5)
some_notices = st.builds(
    Notice, some_heads, base=ids, sections=sections, at_ms=st.integers(0, 10**13), jitter_ms=st.integers(0, 30_000)
)


@given(notice=some_notices)
def test_what_was_told_is_heard(notice: Notice) -> None:
    heard = notices.decode(notice.encode())

    assert isinstance(heard, Notice)
    told = replace(notice, head=replace(notice.head, merged=""))
    assert heard in (told, replace(told, sections=None))


@given(head=some_heads, blobs=st.dictionaries(keys, st.binary(max_size=20_000), max_size=3), count=st.integers(0, 500))
def test_a_notice_never_has_more_than_8_kb(head: Head, blobs: dict[str, bytes], count: int) -> None:
    many = {f"section{number}": "0" * 64 for number in range(count)}

    message = Notice(head, base="0" * 64, sections={**blobs, **many}).encode()

    assert len(message) <= MAX_BYTES


def test_sections_are_left_out_whole_when_they_do_not_fit() -> None:
    fits = Notice(HEAD, sections={"a": b"x" * 7000, "b": None, "c": "0" * 64})
    too_large = Notice(HEAD, sections={"a": b"x" * 9000}, jitter_ms=5)

    heard = [notices.decode(notice.encode()) for notice in (fits, too_large)]

    assert [isinstance(each, Notice) and each.sections for each in heard] == [fits.sections, None]


def test_the_empty_map_says_only_read_the_head() -> None:
    assert notices.decode(HINT) == Hint()
    assert msgpack.packb({}) == HINT


@given(message=st.binary(max_size=100) | values.map(msgpack.packb))
def test_noise_is_malformed(message: bytes) -> None:
    if message == HINT:
        return

    with pytest.raises(Malformed, match="malformed"):
        notices.decode(message)


@given(
    name=st.sampled_from([*heads.FIELDS, "base", "sections", "at", "jitter_ms"]),
    value=values | st.sampled_from([float("inf"), float("nan"), -(2**63), 2**64 - 1, "9" * 5000, b"\xff", {b"a": 1}]),
)
def test_a_notice_with_one_wrong_fact_is_malformed_or_harmless(name: str, value: Any) -> None:
    facts = msgpack.unpackb(Notice(HEAD, sections={}).encode())
    message = msgpack.packb({**facts, name: value})

    with contextlib.suppress(Malformed):
        heard = notices.decode(message)

        assert isinstance(heard, Notice)
        assert 0 <= heard.at_ms < 253_402_300_800_000
        assert 0 <= heard.jitter_ms <= 60_000
        assert heard.sections is None or isinstance(heard.sections, dict)


@pytest.mark.parametrize("name", [*heads.FIELDS, "base", "sections", "at", "jitter_ms"])
def test_a_notice_that_lacks_a_fact_is_malformed(name: str) -> None:
    facts = msgpack.unpackb(Notice(HEAD, sections={}).encode())
    facts.pop(name, None)

    outcome = pytest.raises(Malformed) if name not in {"merged", "lineage", "ancestors"} else contextlib.nullcontext()

    with outcome:
        notices.decode(msgpack.packb(facts))


@pytest.mark.parametrize("sections", [[], 1, {1: b""}, {"a": 1}, {"a": [b""]}])
def test_sections_that_are_no_map_of_blobs_are_malformed(sections: Any) -> None:
    facts = msgpack.unpackb(Notice(HEAD, sections={}).encode())

    with pytest.raises(Malformed):
        notices.decode(msgpack.packb({**facts, "sections": sections}))


def test_a_message_of_more_than_16_kb_is_not_even_read() -> None:
    with pytest.raises(Malformed, match="20000 bytes"):
        notices.decode(b"\x80" * 20_000)
