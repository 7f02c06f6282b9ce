"""The publisher's memory on disk: what it keeps, and when it is written again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from confbus.errors import Malformed
from confbus.wire import codec
from confbus_publisher.guard.guard import Guard, Retreat
from confbus_publisher.ledger import Overrides, State, state_of
from confbus_publisher.memory_file import MemoryFile
from support.places import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> MemoryFile:
    return MemoryFile(tmp_path / "state", "shop")


def state(texts: Mapping[str, str] | None = None) -> State:
    draft = state_of(encoded({"a": {"b": 1}}))
    overrides = None if texts is None else Overrides(texts, "", 7)
    return replace(
        draft, head=replace(draft.head, version=1), release=replace(draft.release, version=1), overrides=overrides
    )


@pytest.mark.parametrize("texts", [None, {}, {"a.b": "text", 'a["x"]': "ä"}])
def test_what_is_kept_comes_back(file: MemoryFile, texts: Mapping[str, str] | None) -> None:
    file.save(state(texts), "f00")

    loaded, accounted = file.load()

    assert loaded
    assert (loaded.overrides, accounted) == (state(texts).overrides, "f00")
    assert loaded.release == state().release


def guarded(*, has_retreat: bool = True) -> State:
    """A state on trial, with holds; it shares one of two sections with what it goes back to."""
    before, now = (state_of(encoded({"a": {"b": number}, "c": {"d": 1}})) for number in (1, 2))
    retreat = Retreat(replace(before.release, version=1), before.blobs)
    guard = Guard(
        change=now.head.change,
        version=2,
        back=1,
        digest=before.release.digest,
        author="ann",
        since_ms=1,
        until_ms=9,
    )
    return replace(now, guard=guard, retreat=retreat if has_retreat else None, holds={"a": "a freeze"})


@pytest.mark.parametrize("has_retreat", [True, False])
def test_a_guard_comes_back_with_all_that_it_goes_back_to(file: MemoryFile, has_retreat: bool) -> None:
    kept = guarded(has_retreat=has_retreat)
    file.keep(kept, None)

    loaded, _ = file.load()

    assert loaded
    assert (loaded.guard, loaded.retreat, loaded.holds) == (kept.guard, kept.retreat, kept.holds)


def test_the_end_of_a_guard_and_a_hold_are_kept_though_the_head_stays(file: MemoryFile) -> None:
    file.keep(guarded(), None)
    file.keep(replace(guarded(), guard=None, retreat=None, holds={}), None)

    loaded, _ = file.load()

    assert loaded
    assert (loaded.guard, loaded.retreat, loaded.holds) == (None, None, {})


def test_a_change_of_the_overrides_alone_is_kept(file: MemoryFile) -> None:
    before = state()
    file.keep(before, None)
    file.keep(replace(before, overrides=Overrides({"a.b": "one"}, "", 7)), None)

    loaded, _ = file.load()

    assert loaded
    assert loaded.overrides
    assert loaded.overrides.texts == {"a.b": "one"}


def test_what_is_kept_already_is_not_written_again(file: MemoryFile) -> None:
    kept = state({"a.b": "one"})
    file.keep(kept, None)
    file.path.unlink()

    file.keep(replace(kept, overrides=Overrides({"a.b": "one"}, "", 8)), None)

    assert not file.path.exists()


def rewritten(file: MemoryFile, overrides: object) -> None:
    """The file as somebody else would have written it."""
    magic, _, body = file.path.read_bytes().split(b"\n", 2)
    facts = codec.unpack(body, what="the file")
    facts["overrides"] = overrides
    if overrides == "none at all":
        del facts["overrides"]
    body = codec.pack(facts)
    file.path.write_bytes(b"\n".join([magic, codec.digest(body).encode(), body]))


def test_a_file_of_before_there_were_overrides_knows_of_none(file: MemoryFile) -> None:
    file.save(state({"a.b": "one"}), "")
    rewritten(file, "none at all")

    loaded, _ = file.load()

    assert loaded
    assert loaded.overrides is None


@pytest.mark.parametrize("overrides", [["a"], {}, {"texts": {"a": 1}, "at": 1}, {"texts": {}, "at": "x"}, "text"])
def test_overrides_of_another_shape_are_not_believed(file: MemoryFile, overrides: object) -> None:
    file.save(state(), "")
    rewritten(file, overrides)

    with pytest.raises(Malformed):
        file.load()


def test_what_changes_beside_the_head_alone_is_kept(file: MemoryFile) -> None:
    bare = guarded(has_retreat=False)
    file.keep(bare, None)

    file.keep(replace(bare, quarantine={"a f00": "too slow"}), None)
    quarantined, _ = file.load()
    file.keep(guarded(), None)
    with_retreat, _ = file.load()

    assert quarantined
    assert with_retreat
    assert quarantined.quarantine == {"a f00": "too slow"}
    assert with_retreat.retreat == guarded().retreat
