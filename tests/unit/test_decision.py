"""When a publisher publishes by itself."""

from __future__ import annotations

import pytest

from confbus.wire import head as heads
from confbus.wire.manifest import Manifest
from confbus_publisher.decision import Decision, Step, decide, held_pairs

OLD = Manifest({"db": "0" * 64, "web": "1" * 64})
NEW = Manifest({"db": "2" * 64, "web": "1" * 64})
OTHER = Manifest({"db": "3" * 64})
HELD = {f"db {'2' * 64}"}


def head_of(merge: Manifest) -> heads.Head:
    return heads.first(version=1, digest=merge.digest, merged=merge.digest)


def test_an_empty_place_gets_the_merge() -> None:
    assert decide(NEW, None, None, ()) == Decision(Step.PUBLISH)


def test_a_restart_with_the_same_inputs_publishes_nothing() -> None:
    assert decide(NEW, NEW.digest, head_of(NEW), ()).step is Step.IN_STEP
    assert decide(NEW, None, head_of(NEW), ()).step is Step.IN_STEP


def test_a_change_of_its_own_merge_is_published() -> None:
    assert decide(NEW, OLD.digest, head_of(OLD), ()).step is Step.PUBLISH


def test_a_head_that_somebody_else_moved_is_left_alone() -> None:
    moved = head_of(NEW).next(version=2, digest=OTHER.digest, merged=NEW.digest)

    assert decide(NEW, NEW.digest, moved, ()).step is Step.IN_STEP


def test_a_take_over_with_another_merge_waits_for_a_change() -> None:
    assert decide(NEW, None, head_of(OLD), ()).step is Step.DIVERGED
    assert decide(NEW, NEW.digest, head_of(OLD), ()).step is Step.DIVERGED
    assert decide(OTHER, NEW.digest, head_of(OLD), ()).step is Step.PUBLISH


def test_what_another_publisher_merged_is_replaced_only_by_a_change() -> None:
    assert decide(NEW, NEW.digest, head_of(OTHER), ()).step is Step.DIVERGED


def test_a_merge_with_what_was_rolled_back_is_held_whatever_else_changed() -> None:
    later = Manifest({**NEW.sections, "web": "9" * 64})

    for merge, accounted in ((NEW, OLD.digest), (later, NEW.digest), (NEW, None)):
        assert decide(merge, accounted, head_of(OLD), HELD) == Decision(Step.HELD, ("db",))


def test_people_see_that_a_merge_is_held_right_after_the_rollback_of_it() -> None:
    back = head_of(NEW).next(version=2, digest=OLD.digest, merged=NEW.digest)

    assert decide(NEW, NEW.digest, back, HELD) == Decision(Step.HELD, ("db",))


@pytest.mark.parametrize("head", [None, heads.first(version=1, digest=OLD.digest, merged="")])
def test_a_held_merge_does_not_go_out_as_the_first_one(head: heads.Head | None) -> None:
    assert decide(NEW, None, head, HELD).step is Step.HELD


def test_a_hold_ends_when_the_content_of_its_section_changes() -> None:
    mended = Manifest({**NEW.sections, "db": "7" * 64})

    assert decide(mended, OLD.digest, head_of(OLD), HELD).step is Step.PUBLISH


def test_a_resume_lets_the_next_merge_out_whatever_it_is() -> None:
    resumed = heads.first(version=1, digest=OLD.digest, merged="")

    assert decide(NEW, NEW.digest, resumed, ()).step is Step.PUBLISH


def test_the_same_content_in_another_section_is_not_held() -> None:
    assert held_pairs(Manifest({"web": "2" * 64}), HELD) == {}


def test_a_merge_that_went_out_under_another_key_is_in_step() -> None:
    def aliases() -> list[Manifest]:
        return [OLD]

    assert decide(NEW, None, head_of(OLD), (), aliases=aliases).step is Step.IN_STEP
    assert decide(NEW, OLD.digest, head_of(OTHER), (), aliases=aliases).step is Step.DIVERGED
    assert decide(NEW, OTHER.digest, head_of(OTHER), (), aliases=aliases).step is Step.PUBLISH


def test_content_that_was_rolled_back_is_held_under_every_key() -> None:
    def aliases() -> list[Manifest]:
        return [OLD]

    pair = f"db {'0' * 64}"

    assert held_pairs(NEW, {pair}, aliases=aliases) == {"db": [pair]}
    assert held_pairs(NEW, {pair}, aliases=aliases, running=OTHER) == {"db": [pair]}
    assert held_pairs(NEW, {pair}, aliases=aliases, running=OLD) == {}, "what is in force is not held"
