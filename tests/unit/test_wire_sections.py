"""Cutting documents into sections and joining them again."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import InvalidDocument, Malformed
from confbus.wire import codec, sections
from confbus.wire.diff import same
from confbus.wire.encoder import SPLIT_BYTES, Encoded, Encoder
from confbus.wire.frozen import Frozen, freeze
from confbus.wire.manifest import Manifest
from confbus.wire.sections import NOTHING, Assembly
from support.documents import documents, keys, shuffled

if TYPE_CHECKING:
    from confbus.wire.sealed import Locked

LARGE = "x" * (SPLIT_BYTES // 2)


def encode(document: dict[str, Any]) -> Encoded:
    return Encoder().encode(document)


def join(encoded: Encoded) -> Assembly:
    blobs = {encoded.manifest.sections[name]: blob for name, blob in encoded.blobs.items()}
    return sections.join(blobs, encoded.manifest)


def decoded(encoded: Encoded, changes: dict[str, str | None]) -> dict[str, Frozen | Locked | None]:
    return {
        name: None if digest is None else sections.decode_section(name, encoded.blobs[name], digest)
        for name, digest in changes.items()
    }


NOTHING_IN_IT: dict[str, Any] = {}

large_parts = st.dictionaries(keys, st.just(LARGE) | st.just({"a": LARGE}) | st.just(NOTHING_IN_IT), max_size=4)
mixed = st.dictionaries(keys, large_parts | st.just(1) | st.just({"": {"": 1}}), max_size=3) | documents


@given(document=mixed)
def test_what_was_cut_is_joined_to_the_same_document(document: dict[str, Any]) -> None:
    encoded = encode(document)

    joined = join(encoded)

    assert same(joined.document, document)
    assert joined.manifest == encoded.manifest


@given(document=mixed, seed=st.integers())
def test_equal_documents_have_one_digest(document: dict[str, Any], seed: int) -> None:
    manifest = encode(document).manifest

    other = encode(shuffled(document, random.Random(seed))).manifest

    assert other.digest == manifest.digest
    assert other.sections == manifest.sections


@given(before=mixed, after=mixed)
def test_changing_an_assembly_is_the_same_as_joining_anew(before: dict[str, Any], after: dict[str, Any]) -> None:
    assembly = join(encode(before))
    encoded = encode(after)
    changes = assembly.manifest.changes_to(encoded.manifest)

    changed = assembly.changed(encoded.manifest, decoded(encoded, changes))

    assert same(changed.document, after)
    assert same(assembly.document, before)


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({}, []),
        ({"a": 1, "b": [2]}, ["."]),
        ({"a": {}}, ["a"]),
        ({"a": {"b": {"c": 1}}, "d": 1}, [".", "a"]),
        ({"": {}, ".": {}, "a.b": {}}, ['[""]', '["."]', '["a.b"]']),
        ({"a": {"b": LARGE, "c": {"d": LARGE}}}, ["a", "a.c"]),
        ({"a": {"b": {"x": LARGE}, "c.d": {"x": LARGE}}}, ["a.b", 'a["c.d"]']),
        ({"a": {"b": LARGE, "c": LARGE}}, ["a"]),
        ({"a": LARGE * 3}, ["."]),
    ],
)
def test_a_document_is_cut_at_its_top_level_and_large_sections_once_more(
    document: dict[str, Any], names: list[str]
) -> None:
    encoded = encode(document)

    assert sorted(encoded.blobs) == sorted(encoded.manifest) == sorted(names)
    assert same(join(encoded).document, document)


def test_a_section_is_split_when_it_has_one_byte_more_than_64_kb() -> None:
    empty = len(codec.encode({"b": {"c": "x" * 60_000}}))
    text = "x" * (60_000 + SPLIT_BYTES - empty)

    fits = encode({"a": {"b": {"c": text}}})
    larger = encode({"a": {"b": {"c": text + "x"}}})

    assert list(fits.manifest) == ["a"]
    assert list(larger.manifest) == ["a.b"]


def test_a_thousand_sections_are_kept_and_one_more_is_refused_with_advice() -> None:
    document: dict[str, Any] = {f"key{number}": {} for number in range(1000)}
    assert len(encode(document).manifest) == 1000

    with pytest.raises(InvalidDocument, match=r"1001 sections.*top level.*Group related keys"):
        encode({**document, "root": 1})


def test_the_parent_with_the_most_sections_is_named() -> None:
    services = {f"service{number}": {"text": "x" * 100} for number in range(1001)}

    with pytest.raises(InvalidDocument, match="most are under services"):
        encode({"services": services, "other": {}})


@pytest.mark.parametrize("value", [float("nan"), {1: 2}, b""])
def test_what_is_refused_is_named_by_its_place_in_the_document(value: Any) -> None:
    with pytest.raises(InvalidDocument) as caught:
        encode({"a": {"text": LARGE * 2, "b": {"c": [value]}}})

    assert caught.value.path == "a.b.c[0]"


def test_the_size_is_that_of_all_blobs_and_the_largest_are_named() -> None:
    encoded = encode({"a": {"x": "x" * 100}, "b": {"x": "x" * 300}, "c": {"x": "x" * 200}, "d": 1})

    assert encoded.size == sum(map(len, encoded.blobs.values()))
    assert [name for name, _ in encoded.largest(2)] == ["b", "c"]


def test_a_section_that_is_the_very_same_object_is_not_encoded_again() -> None:
    encoder = Encoder()
    kept, split = freeze({"x": [1]}), freeze({"b": {"c": LARGE}, "d": {"e": LARGE}})
    first = encoder.encode({"kept": kept, "split": split, "other": {"a": 1}})
    dict.__setitem__(kept, "x", object())
    dict.__setitem__(split, "b", object())

    second = encoder.encode({"kept": kept, "split": split, "other": {"a": 2}})
    third = encoder.encode({"kept": kept, "split": split})

    for name in ("kept", "split.b", "split.d"):
        assert second.blobs[name] is third.blobs[name] is first.blobs[name]


@given(data=st.data(), wholes=st.lists(mixed, min_size=1, max_size=3), count=st.integers(1, 5))
def test_an_encoder_that_remembers_encodes_like_one_that_does_not(
    data: st.DataObject, wholes: list[dict[str, Any]], count: int
) -> None:
    encoder = Encoder()
    frozen: list[Any] = [freeze(part) for whole in wholes for part in whole.values()]
    shared = st.dictionaries(keys, st.sampled_from([*frozen, 1, None]), max_size=4)

    for _ in range(count):
        document = data.draw(shared | st.dictionaries(keys, shared.map(freeze), max_size=2))
        encoded, fresh = encoder.encode(document), encode(document)

        assert encoded.blobs == fresh.blobs
        assert encoded.by_digest == fresh.by_digest
        assert (encoded.manifest, encoded.manifest.sections) == (fresh.manifest, fresh.manifest.sections)
        assert encoded.size == fresh.size


def test_a_refused_document_leaves_no_trace_in_the_next_one() -> None:
    encoder = Encoder()
    kept = freeze({"x": 1})
    first = encoder.encode({"kept": kept, "b": {"y": 1}})
    not_a_number: dict[str, Any] = {"kept": kept, "b": {"y": float("nan")}}
    too_many: dict[str, Any] = {f"key{number}": {} for number in range(1001)}

    for refused in (not_a_number, too_many):
        with pytest.raises(InvalidDocument):
            encoder.encode(refused)
    second = encoder.encode({"kept": kept, "b": {"y": 1}})

    assert (second.blobs, second.manifest) == (first.blobs, first.manifest)


def test_a_mapping_that_can_change_is_encoded_every_time() -> None:
    encoder = Encoder()
    document: dict[str, Any] = {"a": {"b": {"c": 1}, "t": LARGE * 2}}
    first = encoder.encode(document)

    document["a"]["b"]["c"] = 2
    second = encoder.encode(document)

    assert join(first).document["a"]["b"] == {"c": 1}
    assert join(second).document["a"]["b"] == {"c": 2}


def test_a_part_of_a_split_section_that_stayed_keeps_its_very_bytes() -> None:
    encoder = Encoder()
    stays = freeze({"c": LARGE})
    first = encoder.encode({"a": {"b": stays, "d": {"e": LARGE}}})

    second = encoder.encode({"a": {"b": stays, "d": {"e": LARGE + "x"}}})

    assert second.blobs["a.b"] is first.blobs["a.b"]
    assert second.blobs["a.d"] != first.blobs["a.d"]


def test_the_same_object_at_another_place_is_another_section() -> None:
    encoder = Encoder()
    value = freeze({"x": 1})
    encoder.encode({"a": value})

    moved = encoder.encode({"b": value, "c": value})

    assert sorted(moved.manifest) == ["b", "c"]
    assert join(moved).document == {"b": {"x": 1}, "c": {"x": 1}}


def test_sections_that_stayed_are_the_very_same_objects_after_a_change() -> None:
    before: dict[str, Any] = {"a": {"x": [1]}, "b": {"y": 1}, "s": {"p": {"t": LARGE}, "q": {"t": LARGE}}, "root": [1]}
    assembly = join(encode(before))
    encoded = encode({**before, "b": {"y": 2}, "s": {**before["s"], "q": {"t": LARGE + "x"}}})

    changed = assembly.changed(encoded.manifest, decoded(encoded, assembly.manifest.changes_to(encoded.manifest)))

    assert changed.document["a"] is assembly.document["a"]
    assert changed.document["s"]["p"] is assembly.document["s"]["p"]
    assert changed.document["root"] is assembly.document["root"]
    assert changed.document["b"] == {"y": 2}


def test_a_key_may_turn_from_a_value_into_a_mapping_and_back() -> None:
    value, mapping = encode({"a": 1}), encode({"a": {"b": 1}})
    at_value = join(value)

    at_mapping = at_value.changed(mapping.manifest, decoded(mapping, at_value.manifest.changes_to(mapping.manifest)))
    back = at_mapping.changed(value.manifest, decoded(value, at_mapping.manifest.changes_to(value.manifest)))

    assert (at_value.document, at_mapping.document, back.document) == ({"a": 1}, {"a": {"b": 1}}, {"a": 1})


def test_no_change_gives_the_very_same_document() -> None:
    assembly = join(encode({"a": {"b": 1}}))

    same_again = assembly.changed(assembly.manifest, {})

    assert same_again.document is assembly.document
    assert NOTHING.document == {}


@given(path=st.lists(keys, max_size=2).map(tuple))
def test_a_section_name_leads_back_to_its_place(path: tuple[str, ...]) -> None:
    assert sections.path_of(sections.name_of(path)) == path


@pytest.mark.parametrize("name", ["", "a.b.c", "a[0]", "[0]", "a.", '["a"]', 'a["b"]', '["a\\u0062"]', "a\tb"])
def test_what_names_no_section_is_malformed(name: str) -> None:
    with pytest.raises(Malformed, match="a section name"):
        sections.path_of(name)


def test_bytes_without_their_digest_are_malformed() -> None:
    blob = codec.encode({"a": 1})

    with pytest.raises(Malformed, match=r"section 'a'.*digest"):
        sections.decode_section("a", blob, codec.digest(b"other"))


@pytest.mark.parametrize("value", [[1], 1, None, "text"])
def test_a_section_that_is_no_mapping_is_malformed(value: Any) -> None:
    blob = codec.encode(value)

    with pytest.raises(Malformed, match=r"section 'a'.*no mapping"):
        sections.join({codec.digest(blob): blob}, Manifest({"a": codec.digest(blob)}))
