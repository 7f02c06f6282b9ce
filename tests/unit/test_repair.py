"""What a publisher makes of a loss, from what is there, what it knows and what instances say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from confbus.rule import Verdict, judge
from confbus.status import stand
from confbus.wire.encoder import Encoder
from confbus_publisher.fleet import Report
from confbus_publisher.ledger import Ledger, Overrides, State, Why, state_of
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.repair import Fine, Lose, Restore, assess, is_progress

if TYPE_CHECKING:
    from confbus.wire.head import Head

ANN = Why("ann")


class History:
    """A namespace, with every state it went through."""

    def __init__(self) -> None:
        self.ledger = Ledger(MemoryStore())
        self.states: list[State] = []

    def publish(self, n: int) -> State:
        self.ledger.publish(Encoder().encode({"db": {"n": n}}), ANN)
        return self._kept()

    def roll_back(self, to: State) -> State:
        self.ledger.rollback(to.release, ANN)
        return self._kept()

    def resume(self) -> State:
        self.ledger.resume(list(self.ledger.state.quarantine if self.ledger.state else ()), ANN)
        return self._kept()

    def anchor(self, state: State, *stood: State) -> State:
        self.ledger.anchor(state, ANN, stands=[place for each in stood if (place := stand(each.head))])
        return self._kept()

    def _kept(self) -> State:
        assert self.ledger.state
        self.states.append(self.ledger.state)
        return self.ledger.state


@pytest.fixture
def history() -> History:
    """Three releases of one epoch."""
    history = History()
    for n in (1, 2, 3):
        history.publish(n)
    return history


def elsewhere(*states: State) -> History:
    """A namespace that knows `states` only, as a Redis that came back from a backup."""
    history = History()
    for state in states:
        history.ledger.anchor(state, ANN)
    history.ledger.state = states[-1]
    return history


def written_on(state: State, n: int) -> State:
    """What somebody writes on top of `state`, who does not know what came after it."""
    encoded = Encoder().encode({"db": {"n": n}})
    draft = state_of(encoded)
    head = state.head.next(version=state.head.version + 1, digest=encoded.manifest.digest, merged="")
    return replace(draft, head=head, release=replace(draft.release, version=head.version), quarantine=state.quarantine)


def says(seen: State | None, state: str = "live", *, name: str = "web:1") -> Report:
    where = stand(seen.head if seen else None)
    return Report(name, state, where, where, "", 0, 30)


def restored(outcome: object) -> Head:
    """The head that the repair makes, over an empty place."""
    assert isinstance(outcome, Restore)
    ledger = Ledger(MemoryStore())
    ledger.anchor(outcome.state, ANN, stands=outcome.stands)
    assert ledger.state
    return ledger.state.head


def test_the_overrides_that_i_know_come_back_whatever_content_is_written_again(history: History) -> None:
    backup, known = Overrides({"from": "a backup"}, "", 1), Overrides({"a": "1"}, "", 1)
    there = replace(history.states[-1], overrides=backup)
    mine = replace(history.states[-1], overrides=known)

    lost = assess(None, mine, [there], [])
    unknown = assess(None, replace(mine, overrides=None), [there], [])

    assert isinstance(lost, Restore)
    assert isinstance(unknown, Restore)
    assert (lost.state.overrides, unknown.state.overrides) == (known, backup)


# --- nothing is lost ---------------------------------------------------------------------------------------------


def test_an_empty_place_without_any_past_is_fine() -> None:
    assert assess(None, None, [], []) == Fine()
    assert assess(None, None, [], [says(None, "waiting")]) == Fine()


def test_the_head_that_i_know_is_fine(history: History) -> None:
    last = history.states[-1]

    assert assess(last.head, last, [last], [says(last)]) == Fine()
    assert assess(last.head, None, [last], [says(last)]) == Fine()


def test_a_head_that_came_after_what_i_know_is_fine(history: History) -> None:
    old, last = history.states[0], history.states[-1]
    anchored = elsewhere(last).ledger.state
    assert anchored

    assert assess(last.head, old, [last], [says(last)]) == Fine()
    assert assess(anchored.head, old, [anchored], [says(last)]) == Fine()


def test_instances_that_lag_behind_are_no_loss(history: History) -> None:
    first, _, last = history.states

    assert assess(last.head, last, [last], [says(first), says(first, "vetoing"), says(None, "waiting")]) == Fine()


def test_one_confused_worker_does_not_stop_the_publisher(history: History) -> None:
    _, second, last = history.states

    reports = [says(second), says(last, "regressed", name="web:2")]

    assert assess(second.head, second, [second], reports) == Fine()


# --- what i know is written again ----------------------------------------------------------------------------------


def test_a_head_that_is_gone_is_written_again_and_everybody_follows(history: History) -> None:
    last = history.states[-1]

    outcome = assess(None, last, [], [says(last, "lost")])

    assert isinstance(outcome, Restore)
    assert outcome.state.release == last.release
    assert outcome.state.head.merged == last.head.merged
    assert all(judge(state.head, restored(outcome)) is Verdict.APPLY for state in history.states)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_head_that_went_back_is_written_again(history: History, depth: int) -> None:
    last, old = history.states[-1], history.states[-1 - depth]

    outcome = assess(old.head, last, [old], [says(last, "regressed"), says(old, name="web:2")])

    assert isinstance(outcome, Restore)
    assert outcome.state.release == last.release
    assert f"revision {old.head.revision}" in outcome.reason


def test_an_epoch_that_is_over_is_a_head_that_went_back(history: History) -> None:
    last = history.states[-1]
    anchored = history.anchor(last)

    outcome = assess(last.head, anchored, [last], [says(anchored, "regressed")])

    assert isinstance(outcome, Restore)
    assert judge(anchored.head, restored(outcome)) is Verdict.APPLY


def test_a_head_whose_release_is_gone_is_written_again(history: History) -> None:
    last = history.states[-1]

    outcome = assess(last.head, last, [], [says(last)])

    assert isinstance(outcome, Restore)
    assert outcome.state.blobs == last.blobs


def test_a_rollback_survives_the_loss_with_its_quarantine(history: History) -> None:
    back = history.roll_back(history.states[0])

    outcome = assess(history.states[1].head, back, [history.states[1]], [says(back, "regressed")])

    assert isinstance(outcome, Restore)
    assert outcome.state.release.digest == history.states[0].release.digest
    assert outcome.state.quarantine.keys() == back.quarantine.keys()
    assert outcome.state.head.merged == history.states[2].head.merged


def test_what_is_in_force_and_held_since_its_rollback_was_lost_stays_held_through_the_next_loss(
    history: History,
) -> None:
    last = history.states[-1]
    pair = f"db {last.release.manifest.sections['db']}"
    restored = replace(last, quarantine={pair: "rolled back by ann"})

    outcome = assess(None, restored, [], [])

    assert isinstance(outcome, Restore)
    assert outcome.state.quarantine == restored.quarantine


def test_holds_that_are_gone_alone_are_written_again(history: History) -> None:
    back = history.roll_back(history.states[0])
    bare = replace(back, quarantine={})

    outcome = assess(back.head, back, [bare], [says(back)])

    assert isinstance(outcome, Restore)
    assert outcome.state.quarantine == back.quarantine


def test_a_hold_that_was_lifted_is_not_a_loss(history: History) -> None:
    back = history.roll_back(history.states[0])
    resumed = history.resume()

    assert assess(resumed.head, back, [resumed], [says(resumed)]) == Fine()


def test_a_fork_is_anchored_with_the_holds_that_i_know(history: History) -> None:
    back = history.roll_back(history.states[0])
    fork = written_on(written_on(written_on(history.states[1], 7), 8), 9)

    outcome = assess(fork.head, back, [fork], [says(fork)])

    assert isinstance(outcome, Restore)
    assert outcome.state.release.digest == fork.release.digest
    assert outcome.state.quarantine.keys() >= back.quarantine.keys()
    assert judge(back.head, restored(outcome)) is Verdict.APPLY
    assert judge(fork.head, restored(outcome)) is Verdict.APPLY


# --- the fleet knows more -------------------------------------------------------------------------------------------


def test_what_the_fleet_runs_is_anchored_when_its_content_is_at_hand(history: History) -> None:
    _, second, last = history.states
    merge = state_of(Encoder().encode({"db": {"n": 3}}))

    outcome = assess(second.head, second, [second, merge], [says(last, "regressed"), says(last, name="web:2")])

    assert isinstance(outcome, Fine)
    outcome = assess(second.head, second, [second, merge], [says(last, "regressed"), says(last, "regressed")])
    assert isinstance(outcome, Restore)
    assert outcome.state.release.digest == last.release.digest
    assert judge(last.head, restored(outcome)) is Verdict.APPLY


def test_without_memory_nothing_is_published_while_an_instance_runs_something_else(history: History) -> None:
    merge = state_of(Encoder().encode({"db": {"n": 99}}))

    outcome = assess(None, None, [merge], [says(history.states[-1], "lost"), says(None, "waiting")])

    assert isinstance(outcome, Lose)
    assert "version 3" in outcome.reason


def test_without_memory_a_fleet_that_runs_my_merge_is_anchored(history: History) -> None:
    last = history.states[-1]
    merge = state_of(Encoder().encode({"db": {"n": 3}}))

    outcome = assess(None, None, [merge], [says(last, "lost")])

    assert judge(last.head, restored(outcome)) is Verdict.APPLY


def test_what_is_restored_is_known_by_the_version_that_was_published_first(history: History) -> None:
    last = history.states[-1]
    merge = state_of(Encoder().encode({"db": {"n": 3}}))

    outcome = assess(None, last, [merge], [])

    assert isinstance(outcome, Restore)
    assert outcome.state.release.of == last.release.of == 3


def test_a_memory_that_is_older_than_one_instance_is_not_restored_over_it(history: History) -> None:
    first, second, last = history.states

    outcome = assess(first.head, second, [first], [says(second, "regressed"), says(last, "regressed", name="web:2")])

    assert isinstance(outcome, Lose)


def test_what_an_instance_refused_counts_as_seen(history: History) -> None:
    first, second, last = history.states
    refusing = replace(says(last, "regressed"), running=stand(first.head))

    outcome = assess(first.head, second, [first], [refusing])

    assert isinstance(outcome, Lose)


def test_a_damaged_head_that_is_newer_than_what_i_know_is_lost(history: History) -> None:
    _, second, last = history.states

    outcome = assess(last.head, second, [], [says(second, "lost")])

    assert isinstance(outcome, Lose)
    assert "version 3" in outcome.reason


def test_a_damaged_head_is_written_again_from_the_sources(history: History) -> None:
    _, second, last = history.states
    merge = state_of(Encoder().encode({"db": {"n": 3}}))

    for memory in (None, second):
        outcome = assess(last.head, memory, [merge], [says(second, "lost")])

        assert isinstance(outcome, Restore)
        assert outcome.state.release.digest == last.release.digest


# --- two histories ----------------------------------------------------------------------------------------------------


def test_what_was_written_on_a_regressed_head_is_for_a_person_to_judge(history: History) -> None:
    last = history.states[-1]
    fork = written_on(history.states[0], 7)

    outcome = assess(fork.head, last, [fork], [says(last, "regressed")])

    assert isinstance(outcome, Lose)


def test_a_head_that_knows_nothing_of_mine_is_for_a_person_to_judge(history: History) -> None:
    stranger = History().publish(50)

    for reports in ([], [says(stranger)], [says(history.states[-1], "regressed")]):
        assert isinstance(assess(stranger.head, history.states[-1], [stranger], reports), Lose)


def test_what_was_rolled_back_meanwhile_is_not_brought_back(history: History) -> None:
    last = history.states[-1]
    anchored = history.anchor(last)
    there = replace(last, quarantine={f"db {last.release.manifest.sections['db']}": "rolled back by ann"})

    outcome = assess(there.head, anchored, [there], [says(anchored, "regressed")])

    assert isinstance(outcome, Lose)


def test_instances_on_two_branches_are_for_a_person_to_judge(history: History) -> None:
    _, second, last = history.states
    branch = written_on(second, 7)

    outcome = assess(None, second, [last, branch], [says(last, "lost"), says(branch, "lost", name="web:2")])

    assert isinstance(outcome, Lose)


def test_a_branch_does_not_win_over_a_head_that_it_never_knew(history: History) -> None:
    _, second, last = history.states
    branch = elsewhere(second).ledger.state
    assert branch

    outcome = assess(last.head, branch, [last], [says(written_on(branch, 2), "regressed")])

    assert isinstance(outcome, Lose)


def test_two_branches_with_the_same_content_are_one(history: History) -> None:
    _, second, last = history.states
    branch = written_on(second, 3)

    outcome = assess(None, second, [last], [says(last, "lost"), says(branch, "lost", name="web:2")])

    assert judge(last.head, restored(outcome)) is Verdict.APPLY
    assert judge(branch.head, restored(outcome)) is Verdict.APPLY


# --- what a standby may remember -------------------------------------------------------------------------------------


def test_a_standby_forgets_nothing_for_a_head_that_went_back(history: History) -> None:
    first, second, last = history.states
    back = history.roll_back(first)

    assert is_progress(None, first)
    assert is_progress(second, last)
    assert is_progress(last, back)
    assert not is_progress(last, second)
    assert not is_progress(back, replace(elsewhere(back).ledger.state or back, quarantine={}))
