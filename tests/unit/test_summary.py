"""The line of the audit trail that tells what a release changed: which paths, and never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import Malformed
from confbus.wire.diff import diff
from confbus.wire.encoder import SPLIT_BYTES
from confbus.wire.manifest import Manifest
from confbus_publisher.ledger.summary import (
    MAX_LENGTH,
    MAX_PATHS,
    Item,
    Sections,
    Summary,
    parse,
    read_names,
    section_names,
    summary,
)
from support.documents import documents
from support.places import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

BIG = {"a": {"text": "x" * SPLIT_BYTES}, "b": {"n": 1}, "c": 3}


def told(old: Mapping[str, Any], new: Mapping[str, Any]) -> Summary:
    before, after = encoded(old), encoded(new)
    changes = before.manifest.changes_to(after.manifest)
    return summary(changes, Sections(before.manifest, before.by_digest), after.by_digest)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ({"pool": {"size": 1, "min": 2}}, {"pool": {"size": 2, "min": 2}}, "~pool.size"),
        ({"pool": {"size": 1}}, {"pool": {"size": 1.0}}, "~pool.size"),
        ({"a": {"x": 1}}, {"a": {"x": 1, "y": {"z": 1, "w": 2}}}, "+a.y"),
        ({"a": {"x": 1}, "old": {"y": 1}}, {"a": {"x": 1}}, "-old"),
        ({}, {"database": {"host": "a", "port": 1}, "debug": True}, "+debug +database"),
        ({"debug": True}, {"debug": {"level": 1}}, "-debug +debug"),
        ({"a": {"x": {}}}, {"a": {"x": {"y": 1}}}, "~a.x"),
        ({"a": {"x": [1, 2]}}, {"a": {"x": [1]}}, "~a.x"),
        ({"a": {"with space": 1}}, {"a": {"with space": 2}}, '~["a"]["with space"]'),
        ({"a": {"x": 1}}, {"a": {"x": 1}}, ""),
        ({"big": {"b": {"n": 1}, "c": 3}}, {"big": BIG}, "+big.a"),
        ({"big": BIG}, {"big": {**BIG, "c": 4}}, "~big.c"),
        ({"big": BIG}, {"big": {**BIG, "d": {"n": 1}}}, "+big.d"),
        ({"big": BIG}, {"big": {"b": {"n": 2}, "c": 3}}, "-big.a ~big.b.n"),
        ({"big": BIG}, {"big": {**BIG, "c": {"n": 1}}}, "~big.c"),
    ],
)
def test_each_changed_path_has_its_sign(old: dict[str, Any], new: dict[str, Any], text: str) -> None:
    assert told(old, new).text() == text


def test_what_finds_no_room_is_counted() -> None:
    old = {"a": {f"key{number:03}": 1 for number in range(57)}}
    new = {"a": {f"key{number:03}": 2 for number in range(57)}}

    found = told(old, new)

    assert len(found.items) == MAX_PATHS
    assert found.text().endswith(f"~a.key019 and {57 - MAX_PATHS} more")


def test_a_path_that_is_too_long_is_counted_and_keeps_no_other_one_out() -> None:
    found = told({"a": {"b": 1, "x" * 300: 1}}, {"a": {"b": 2, "x" * 300: 2, "y": 1}})

    assert found.text() == "~a.b +a.y and 1 more"


def test_sections_that_cost_too_much_to_look_into_are_named_as_a_whole() -> None:
    old = {f"s{number}": {"text": "x" * 60_000, "n": 1} for number in range(9)}

    found = told(old, {name: {**section, "n": 2} for name, section in old.items()})

    assert found.text() == "~s0.n ~s1.n ~s2 ~s3 ~s4 ~s5 ~s6 ~s7 ~s8"


@pytest.mark.parametrize(
    "blob", [b"", b"\xc0", b"\x81", b"\x81\x01\x02", b"\xde\xff\xff", b"\x92\x01\x02", b"\x80" * 9]
)
def test_a_section_that_is_no_configuration_is_named_as_a_whole(blob: bytes) -> None:
    before = encoded({"a": {"x": 1}})
    digest = before.manifest.sections["a"]

    found = summary({"a": "other"}, Sections(before.manifest, {digest: blob}), {"other": b"\x81\xa1x\x02"})

    assert found.text() in {"~a", "+a.x"}


def test_a_section_whose_bytes_are_gone_is_named_as_a_whole() -> None:
    assert summary({"a": "new"}, Sections(Manifest({"a": "old"}), {}), {}).text() == "~a"


def test_what_is_no_name_of_a_section_is_refused() -> None:
    with pytest.raises(Malformed):
        summary({"a.b.c": "new"}, Sections(Manifest({}), {}), {})


@given(documents, documents)
def test_it_names_just_what_changed_and_never_a_value(old: dict[str, Any], new: dict[str, Any]) -> None:
    found = told(old, new)

    changed = {change.parts for change in diff(old, new)}
    items = [item.path for item in found.items]
    assert all(any(path[: len(item)] == item for path in changed) for item in items)
    if not found.more:
        # An empty mapping that gets a key is a leaf that is gone, to whoever compares leaves.
        assert all(any(item[: len(path)] == path[: len(item)] for item in items) for path in changed)
    assert len(found.text()) <= MAX_LENGTH + len(" and 999 more")
    assert parse(found.text()) == found


@given(st.text(max_size=60))
def test_any_text_is_read_as_some_summary(text: str) -> None:
    assert parse(f"{text} ~a.b and 3 more").more in {0, 3}


@pytest.mark.parametrize("piece", ["~", '~"', '~a"b', "+-~", '~"\\', "~a ", '" ', "and "])
def test_a_long_text_of_any_kind_is_read_in_one_pass(piece: str) -> None:
    text = piece * 50_000

    assert parse(f'{text}"').more == 0
    assert read_names(f'{text}"') is not None


def test_names_of_sections_are_read_back() -> None:
    text = section_names(["web", "a b", "."])

    assert read_names(text) == [(), ("a b",), ("web",)]
    assert read_names(f"{text} and 3 more") == [(), ("a b",), ("web",)]


def test_a_sealed_section_is_read_back() -> None:
    read = parse("~database (sealed) +a.b and 2 more")

    assert read == Summary((Item("~", ("database",), is_sealed=True), Item("+", ("a", "b"))), 2)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ({"a": b"\xc1old"}, {"a": b"\xc1new"}, "~a (sealed)"),
        ({"a": b"\x81\xa1x\x01"}, {"a": b"\xc1new"}, "~a (sealed)"),
        ({}, {"a": b"\xc1new", "b": b"\x81\xa1x\x01"}, "+a (sealed) +b"),
        ({"a": b"\xc1old"}, {}, "-a (sealed)"),
    ],
)
def test_of_a_sealed_section_only_its_name_is_told(old: dict[str, bytes], new: dict[str, bytes], text: str) -> None:
    before = Manifest({name: f"old {name}" for name in old})
    changes = dict.fromkeys(old) | {name: f"new {name}" for name in new}

    sections = Sections(before, {f"old {name}": blob for name, blob in old.items()})
    found = summary(changes, sections, {f"new {name}": blob for name, blob in new.items()})

    assert found.text() == text
