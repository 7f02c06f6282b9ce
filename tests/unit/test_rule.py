"""The subscriber's rule, head against head."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.rule import Verdict, comes_after, judge
from confbus.wire import head as heads

if TYPE_CHECKING:
    from confbus.wire.head import Head

FIRST = heads.first(version=1, digest="a" * 64, merged="")


def after(head: Head, steps: int = 1) -> Head:
    for _ in range(steps):
        head = head.next(version=head.version + 1, digest="b" * 64, merged="")
    return head


def anchored(head: Head, *above: Head) -> Head:
    known = (head, *above)
    return head.anchored(
        revision=max(each.revision for each in known) + 1,
        version=max(each.version for each in known) + 1,
        above=[place for each in known for place in (*each.lineage, (each.epoch, each.revision))],
    )


def test_no_head_is_a_loss_even_for_somebody_without_one() -> None:
    assert judge(FIRST, None) is Verdict.LOST
    assert judge(None, None) is Verdict.LOST


def test_somebody_without_a_head_takes_any() -> None:
    assert judge(None, after(FIRST, 7)) is Verdict.APPLY


def test_the_same_change_is_the_same_whatever_else_it_says() -> None:
    assert judge(FIRST, replace(FIRST, merged="c")) is Verdict.SAME


@pytest.mark.parametrize("steps", [1, 2, 16, 17, 500])
def test_later_in_my_epoch_is_progress(steps: int) -> None:
    assert judge(FIRST, after(FIRST, steps)) is Verdict.APPLY


@pytest.mark.parametrize("steps", [1, 2, 16, 17, 500])
def test_earlier_in_my_epoch_is_a_regression(steps: int) -> None:
    assert judge(after(FIRST, steps), FIRST) is Verdict.REGRESSED


def test_another_change_at_my_revision_is_a_regression() -> None:
    assert judge(after(FIRST), after(FIRST)) is Verdict.REGRESSED


@pytest.mark.parametrize(("steps", "verdict"), [(2, Verdict.FORK), (17, Verdict.FORK), (18, Verdict.APPLY)])
def test_progress_that_does_not_descend_from_my_change_is_a_fork_as_far_as_ancestors_reach(
    steps: int, verdict: Verdict
) -> None:
    mine = after(FIRST)

    assert judge(mine, after(FIRST, steps)) is verdict


def test_an_anchor_by_somebody_who_knew_my_head_is_progress() -> None:
    mine = after(FIRST, 5)

    assert judge(mine, anchored(mine)) is Verdict.APPLY
    assert judge(mine, after(anchored(anchored(mine)), 3)) is Verdict.APPLY
    assert judge(mine, anchored(FIRST, mine)) is Verdict.APPLY


def test_an_anchor_of_an_older_head_is_a_regression_however_far_it_went_on() -> None:
    mine = after(FIRST, 5)

    assert judge(mine, after(anchored(after(FIRST, 4)), 30)) is Verdict.REGRESSED


def test_a_branch_that_was_anchored_before_my_head_was_written_is_a_regression() -> None:
    branch = after(anchored(FIRST), 20)

    assert judge(after(FIRST), branch) is Verdict.REGRESSED
    assert judge(FIRST, branch) is Verdict.APPLY


def test_an_epoch_that_mine_was_anchored_from_is_a_regression_however_far_it_went_on() -> None:
    assert judge(anchored(FIRST), after(FIRST, 30)) is Verdict.REGRESSED


def test_a_history_that_knows_nothing_of_mine_is_not_followed() -> None:
    stranger = after(heads.first(version=1, digest="c" * 64, merged=""), 30)

    assert judge(FIRST, stranger) is Verdict.REGRESSED


@given(path=st.lists(st.sampled_from(["next", "anchor"]), max_size=30), data=st.data())
def test_of_two_heads_of_one_history_the_later_is_followed_and_the_earlier_is_not(
    path: list[str], data: st.DataObject
) -> None:
    history = [FIRST]
    anchors = 0
    for step in path:
        anchors += step == "anchor"
        history.append(after(history[-1]) if step == "next" or anchors > heads.MAX_LINEAGE else anchored(history[-1]))
    earlier = data.draw(st.integers(0, len(history) - 1))
    later = data.draw(st.integers(earlier, len(history) - 1))

    forward, back = judge(history[earlier], history[later]), judge(history[later], history[earlier])

    assert (forward, back) == ((Verdict.SAME, Verdict.SAME) if earlier == later else (Verdict.APPLY, Verdict.REGRESSED))
    assert not (comes_after(history[earlier], history[later]) and comes_after(history[later], history[earlier]))
