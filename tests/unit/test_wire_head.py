"""Heads and releases as Redis keeps them: read back as written, refused by field when they are not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import InvalidNamespace, Malformed
from confbus.wire import head as heads
from confbus.wire import release as releases
from confbus.wire.keys import Keys
from confbus.wire.manifest import Manifest
from confbus.wire.release import Release
from support.documents import keys

HEAD = heads.first(version=3, digest="a" * 64, merged="b" * 64)
RELEASE = Release(3, 2, 1, Manifest({"a": "0" * 64, ".": "1" * 64}), author="ann", message="why", at_ms=5, size=6)


def test_a_head_is_read_back_as_written() -> None:
    head = HEAD.next(version=4, digest="c" * 64, merged="").next(version=5, digest="d" * 64, merged="e")
    anchored = head.anchored(revision=9, version=9, above=(("12", 3), ("34", 4)))

    fields = [each.fields() for each in (HEAD, head, anchored)]

    assert [heads.parse(each) for each in fields] == [HEAD, head, anchored]
    assert all(tuple(each) == heads.FIELDS for each in fields)


def test_the_next_head_descends_from_this_one() -> None:
    after = HEAD.next(version=4, digest="c" * 64, merged="m")

    assert (after.epoch, after.revision) == (HEAD.epoch, HEAD.revision + 1)
    assert after.ancestors == (HEAD.change,)
    assert after.change != HEAD.change


def test_only_the_last_sixteen_ancestors_and_epochs_are_kept() -> None:
    head, changes, places = HEAD, list[str](), list[tuple[str, int]]()

    for number in range(20):
        changes.append(head.change)
        head = head.next(version=number, digest="c", merged="")
    old = head
    for number in range(20):
        places.append((head.epoch, head.revision))
        head = head.anchored(revision=number, version=number)

    assert old.ancestors == tuple(changes[-16:])
    assert head.lineage == tuple(places[-16:])
    assert head.ancestors == ()
    assert head.epoch not in dict(head.lineage)


def test_an_anchored_head_descends_from_every_epoch_up_to_the_last_revision_that_was_known() -> None:
    anchored = HEAD.anchored(revision=9, version=9, above=(("1", 7), ("2", 3), (HEAD.epoch, 5), ("1", 6)))

    assert dict(anchored.lineage) == {"1": 7, "2": 3, HEAD.epoch: 5}
    assert len(anchored.lineage) == 3
    assert anchored.digest == HEAD.digest


@pytest.mark.parametrize("field", ["epoch", "revision", "change", "version", "digest", "protocol", "readable_by"])
@pytest.mark.parametrize("text", [None, "", " ", "x", "-1", "1.0", "1 ", "1\n", "A", "٣", "9" * 65])
def test_a_head_with_a_wrong_field_is_malformed_by_name(field: str, text: str | None) -> None:
    fields = {name: value for name, value in {**HEAD.fields(), field: text}.items() if value is not None}

    with pytest.raises(Malformed, match=f"field '{field}' is malformed"):
        heads.parse(fields)


@pytest.mark.parametrize("field", ["revision", "version", "protocol"])
@pytest.mark.parametrize("text", ["01", "00", "0" * 18])
def test_a_number_that_is_spelled_in_another_way_is_malformed(field: str, text: str) -> None:
    with pytest.raises(Malformed, match=f"field '{field}' is malformed"):
        heads.parse({**HEAD.fields(), field: text})


@pytest.mark.parametrize("field", ["lineage", "ancestors"])
@pytest.mark.parametrize(
    "text", ["x", "a,b", "a -", " ".join("a" * 17), "f" * 65, "a:", "a:x", ":1", " ".join(["a:1"] * 17)]
)
def test_a_head_with_a_wrong_past_is_malformed_by_name(field: str, text: str) -> None:
    with pytest.raises(Malformed, match=f"field '{field}' is malformed"):
        heads.parse({**HEAD.fields(), field: text})


def test_a_head_without_a_past_or_a_merge_is_a_head() -> None:
    fields = {name: text for name, text in HEAD.fields().items() if name not in {"lineage", "ancestors", "merged"}}

    assert heads.parse(fields) == replace(HEAD, merged="")


@given(fields=st.dictionaries(st.sampled_from(heads.FIELDS), st.text(max_size=5) | st.sampled_from("1a")))
def test_fields_are_a_head_or_malformed(fields: dict[str, str]) -> None:
    refused = False

    try:
        head = heads.parse(fields)
    except Malformed:
        refused = True
    else:
        assert heads.parse(head.fields()) == head

    assert refused or fields.keys() >= set(heads.FIELDS) - {"lineage", "ancestors", "merged"}


@given(sections=st.dictionaries(keys, st.text("0123456789abcdef", min_size=1), max_size=4), author=st.text())
def test_a_release_is_read_back_as_written(sections: dict[str, str], author: str) -> None:
    release = replace(RELEASE, manifest=Manifest(sections), author=author)

    assert releases.parse(release.fields()) == release


@pytest.mark.parametrize("field", ["version", "parent", "of", "at", "bytes"])
@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "9" * 19])
def test_a_release_with_a_wrong_number_is_malformed_by_name(field: str, text: str) -> None:
    with pytest.raises(Malformed, match=f"field '{field}' is malformed"):
        releases.parse({**RELEASE.fields(), field: text})


@pytest.mark.parametrize(
    "wrong", [{"section:a": "2" * 64}, {"section:b": "0" * 64}, {"digest": "0" * 64}, {"digest": ""}]
)
def test_a_release_whose_sections_are_not_its_digest_is_malformed(wrong: dict[str, str]) -> None:
    with pytest.raises(Malformed, match="digest"):
        releases.parse({**RELEASE.fields(), **wrong})


def test_a_time_that_has_no_date_is_malformed() -> None:
    last = releases.parse({**RELEASE.fields(), "at": "253402300799999"})

    assert last.at_ms == 253402300799999
    with pytest.raises(Malformed, match="field 'at'"):
        releases.parse({**RELEASE.fields(), "at": "253402300800000"})


def test_all_keys_of_a_namespace_share_one_hash_tag() -> None:
    keys = Keys("team/checkout", database=3, prefix="acme")

    names = [keys.head, keys.release(7), keys.blobs, keys.log, keys.quarantine, keys.lease, keys.fleet, keys.notices]

    assert all(name.startswith("acme:{team/checkout}:") for name in names)
    assert len(set(names)) == len(names)
    assert keys.release(7) == "acme:{team/checkout}:release:7"
    assert keys.notices == "acme:{team/checkout}:notices:3"


@pytest.mark.parametrize("namespace", ["", "a{b", "a}b", "a b", "a:b", "a\n", "ä", "a*", "x" * 101])
def test_a_name_that_would_change_the_meaning_of_a_key_is_refused(namespace: str) -> None:
    with pytest.raises(InvalidNamespace):
        Keys(namespace)
