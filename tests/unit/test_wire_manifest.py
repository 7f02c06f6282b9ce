"""Manifests: one digest for a whole document, however the manifest came about."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from confbus.wire.manifest import EMPTY, Manifest
from support.documents import keys

digests = st.sampled_from([hashlib.sha256(bytes([number])).hexdigest() for number in range(4)])
section_maps = st.dictionaries(keys, digests, max_size=6)


def by_hand(sections: dict[str, str]) -> str:
    """The digest as the documentation spells it."""
    lines = [f"{name}\t{digest}\n" for name, digest in sorted(sections.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@given(sections=section_maps)
def test_the_digest_is_that_of_the_sorted_lines(sections: dict[str, str]) -> None:
    manifest = Manifest(sections)

    assert manifest.digest == by_hand(sections)
    assert list(manifest) == sorted(sections)
    assert len(manifest) == len(sections)


def test_the_empty_manifest_has_the_digest_of_nothing() -> None:
    assert EMPTY.digest == hashlib.sha256(b"").hexdigest()


@given(before=section_maps, after=section_maps)
def test_a_changed_manifest_equals_one_that_is_built_anew(before: dict[str, str], after: dict[str, str]) -> None:
    manifest, target = Manifest(before), Manifest(after)

    changed = manifest.changed(manifest.changes_to(target))

    assert changed == target
    assert hash(changed) == hash(target)
    assert (changed.digest, changed.sections) == (by_hand(after), after)
    assert (manifest.digest, manifest.sections) == (by_hand(before), before)


@given(before=section_maps, data=st.data())
def test_changes_on_changes_lose_nothing(before: dict[str, str], data: st.DataObject) -> None:
    manifest, sections = Manifest(before), dict(before)

    for changes in data.draw(st.lists(st.dictionaries(keys, digests | st.none(), max_size=3), max_size=4)):
        manifest = manifest.changed(changes)
        sections = {name: digest for name, digest in {**sections, **changes}.items() if digest is not None}

    assert manifest.digest == by_hand(sections)


@given(before=section_maps, after=section_maps)
def test_the_changes_name_only_what_differs(before: dict[str, str], after: dict[str, str]) -> None:
    changes = Manifest(before).changes_to(Manifest(after))

    assert changes == {name: after.get(name) for name in {*before, *after} if before.get(name) != after.get(name)}


@given(before=section_maps, changes=st.dictionaries(keys, digests | st.just("ff") | st.just("ä" * 64), max_size=4))
def test_what_became_of_a_manifest_differs_from_it_in_what_changed_alone(
    before: dict[str, str], changes: dict[str, str]
) -> None:
    manifest = Manifest(before)

    after = manifest.changed(changes)

    assert after.digest == by_hand({**before, **changes})
    assert manifest.changes_to(after) == {name: blob for name, blob in changes.items() if before.get(name) != blob}


def test_a_manifest_equals_only_manifests() -> None:
    manifest = Manifest({"a": "0" * 64})

    assert manifest != manifest.sections
    assert manifest != Manifest({"b": "0" * 64})
    assert "0" * 64 not in repr(manifest)
