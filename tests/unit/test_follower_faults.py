"""What a follower does when the server forgets, lies, falls silent or is away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from confbus import events
from confbus.follower import LIVE, LOST, OUTDATED, RECONNECTING, REGRESSED, WAITING
from confbus.wire import head as heads
from confbus.wire.head import PROTOCOL
from confbus_publisher.ledger import Ledger
from support.lone_follower import ANN, LoneFollower


@pytest.fixture
def lone() -> LoneFollower:
    """A follower that serves version 3, with a quiet connection."""
    lone = LoneFollower()
    for number in (1, 2, 3):
        lone.publish(db={"n": number})
    lone.follow()
    return lone


def test_a_lost_notice_is_healed_within_one_poll_and_makes_the_connection_new(lone: LoneFollower) -> None:
    lone.publish(db={"n": 4})

    told = lone.wait(6.0)
    after = lone.wait(1.0)

    assert [word for word in told if word in {"ReadHead", "Fetch", "Apply"}][:3] == ["ReadHead", "Fetch", "Apply"]
    assert "Connect" in told + after
    assert lone.follower.counts.healed == 1
    assert lone.document == {"db": {"n": 4}}


def test_a_change_whose_notice_comes_after_the_poll_is_not_counted_as_healed(lone: LoneFollower) -> None:
    lone.publish(db={"n": 4})
    told = lone.wait(3.9)
    while lone.document != {"db": {"n": 4}}:
        told += lone.wait(0.01)

    told += lone.hear() + lone.wait(3.0)

    assert "Connect" not in told
    assert lone.follower.counts.healed == 0


def test_a_change_that_was_announced_is_not_counted_when_a_poll_finds_it(lone: LoneFollower) -> None:
    lone.ledger.fleet_size = 100_000
    lone.publish(db={"n": 4, "pad": "x" * 9000})
    lone.hear()

    told = lone.wait(20)

    assert lone.document["db"]["n"] == 4
    assert lone.follower.counts.healed == 0
    assert "Connect" not in told


def test_a_head_that_is_gone_keeps_what_runs(lone: LoneFollower) -> None:
    lone.store.put_head(None)

    lone.wait(6)

    assert lone.follower.state == LOST
    assert lone.document == {"db": {"n": 3}}


def test_a_head_that_comes_back_ends_the_loss(lone: LoneFollower) -> None:
    head = lone.store.head()
    lone.store.put_head(None)
    lone.wait(6)

    lone.store.put_head(head)
    lone.wait(6)

    assert lone.follower.state == LIVE


def test_a_head_that_never_was_is_no_loss() -> None:
    lone = LoneFollower()
    lone.follow()

    lone.wait(20)

    assert lone.follower.state == WAITING


def test_an_older_head_keeps_what_runs(lone: LoneFollower) -> None:
    newer = lone.follower.seen
    older = LoneFollower().publish(db={"n": 9})
    assert newer

    for there in (replace(newer, revision=2, change="f1", version=2), older):
        lone.store.put_head(there)
        lone.wait(6)

        assert lone.follower.state == REGRESSED
        assert lone.document == {"db": {"n": 3}}
        assert lone.follower.seen == newer


def test_one_regression_is_counted_once(lone: LoneFollower) -> None:
    assert lone.follower.seen
    lone.store.put_head(replace(lone.follower.seen, revision=2, change="f1"))

    lone.wait(60)

    assert lone.follower.counts.regressions == 1


def test_an_anchor_above_it_ends_a_regression(lone: LoneFollower) -> None:
    state = lone.ledger.state
    assert state
    lone.store.put_head(replace(state.head, revision=2, change="f1"))
    lone.wait(6)

    Ledger(lone.store).anchor(state, ANN)
    told = lone.hear()

    assert told[0] == "Apply"
    assert lone.follower.state == LIVE
    assert lone.follower.served
    assert lone.follower.served.version == 4


def test_a_fork_is_followed_and_counted(lone: LoneFollower) -> None:
    mine = lone.follower.seen
    assert mine
    lone.publish(db={"n": 4})
    head = lone.publish(db={"n": 5})
    lone.store.put_head(replace(head, ancestors=tuple(each for each in head.ancestors if each != mine.change)))

    lone.wait(6)

    assert lone.document == {"db": {"n": 5}}
    assert lone.follower.counts.forks == 1


def test_a_head_for_newer_readers_keeps_what_runs_and_says_so(lone: LoneFollower) -> None:
    head = lone.publish(db={"n": 4})
    lone.store.put_head(replace(head, readable_by=PROTOCOL + 1))

    told = lone.hear(replace(lone.store.last_notice, head=replace(head, readable_by=PROTOCOL + 1)).encode())
    told += lone.wait(20)

    assert "Apply" not in told
    assert lone.follower.state == OUTDATED
    assert str(PROTOCOL + 1) in lone.follower.error
    assert lone.document == {"db": {"n": 3}}


def test_a_head_that_can_be_read_again_ends_being_outdated(lone: LoneFollower) -> None:
    head = lone.publish(db={"n": 4})
    lone.store.put_head(replace(head, readable_by=PROTOCOL + 1))
    lone.wait(6)

    lone.store.put_head(head)
    lone.wait(6)

    assert lone.follower.state == LIVE
    assert lone.document == {"db": {"n": 4}}


@pytest.mark.parametrize("gone", ["releases", "blobs"])
def test_missing_content_is_a_loss_only_when_the_head_did_not_move(lone: LoneFollower, gone: str) -> None:
    lone.publish(db={"n": 4})
    lone.store.lose(releases=gone == "releases", blobs=gone == "blobs")

    told = lone.tell(events.Acked())

    assert [word for word in told if word != "Report"] == ["ReadHead", "Fetch", "ReadHead", "Fetch"]
    assert lone.follower.state == LOST
    assert lone.document == {"db": {"n": 3}}


def test_missing_content_of_a_head_that_moved_is_no_loss(lone: LoneFollower) -> None:
    old = lone.publish(db={"n": 4})
    new = lone.publish(db={"n": 5})

    first = lone.follower.handle(events.HeadRead(old), lone.now_s)
    again = lone.follower.handle(events.ReadFailed("a blob is gone", is_damage=True), lone.now_s)
    lone.tell(events.HeadRead(new))

    assert isinstance(first[0], events.Fetch)
    assert isinstance(again[0], events.ReadHead)
    assert lone.follower.state == LIVE
    assert lone.document == {"db": {"n": 5}}


def test_each_new_damage_gets_its_own_second_look(lone: LoneFollower) -> None:
    lone.follower.handle(events.ReadFailed("the head is garbage", is_damage=True), lone.now_s)
    lone.tell(events.HeadRead(lone.store.head()))

    again = lone.follower.handle(events.ReadFailed("the head is garbage", is_damage=True), lone.now_s)

    assert isinstance(again[0], events.ReadHead)
    assert lone.follower.state == LIVE


def test_content_that_comes_back_ends_the_loss(lone: LoneFollower) -> None:
    lone.publish(db={"n": 4})
    lone.store.lose(blobs=True)
    lone.tell(events.Acked())
    state = lone.ledger.state
    assert state

    Ledger(lone.store).anchor(state, ANN)
    lone.wait(6)

    assert lone.follower.state == LIVE
    assert lone.document == {"db": {"n": 4}}


def test_wrong_bytes_in_a_notice_are_fetched_instead(lone: LoneFollower) -> None:
    head = lone.publish(db={"n": 4})

    told = lone.tell(events.Refused(head, "its bytes do not have its digest", is_damage=True))

    assert told[:3] == ["ReadHead", "Fetch", "Apply"]
    assert lone.document == {"db": {"n": 4}}
    assert lone.follower.counts.vetoes == 0


def test_a_server_that_is_away_keeps_what_runs_and_is_asked_again_with_each_poll(lone: LoneFollower) -> None:
    lone.is_reachable = False

    told = lone.wait(31)

    assert 5 <= told.count("ReadHead") <= 8
    assert lone.follower.state == RECONNECTING
    assert lone.follower.error == "nobody answers"
    assert lone.document == {"db": {"n": 3}}


def test_without_a_subscription_the_head_is_followed_by_polling() -> None:
    lone = LoneFollower()
    lone.publish(db={"n": 1})
    lone.is_acking = False
    lone.tell(events.Ticked())

    lone.tell(events.LinkLost("refused"))
    lone.wait(6)

    assert lone.document == {"db": {"n": 1}}
    assert lone.follower.state == RECONNECTING
    assert lone.follower.counts.healed == 0


def test_a_restart_follows_whatever_is_there() -> None:
    lone = LoneFollower()
    lone.publish(db={"n": 1})
    lone.store.put_head(replace(lone.store.head() or heads.first(version=1, digest="", merged=""), revision=77))

    lone.follow()

    assert lone.follower.state == LIVE
