"""What a follower does about heads and notices when all is well."""

from __future__ import annotations

import pytest

from confbus import events
from confbus.follower import LIVE, VETOING, WAITING
from confbus.timing import Timing
from confbus.wire.notice import HINT
from support.lone_follower import ANN, LoneFollower


@pytest.fixture
def lone() -> LoneFollower:
    """A follower that serves version 1, with a quiet connection."""
    lone = LoneFollower()
    lone.publish(db={"n": 1}, web={"n": 1})
    lone.follow()
    return lone


def test_nothing_is_read_before_the_subscription_is_acknowledged() -> None:
    lone = LoneFollower()
    lone.publish(db={"n": 1})
    lone.is_acking = False

    before = lone.tell(events.Ticked()) + lone.wait(1)
    after = lone.tell(events.Acked())

    assert before == ["Connect"]
    assert after == ["ReadHead", "Fetch", "Apply", "Report"]
    assert lone.document == {"db": {"n": 1}}
    assert lone.follower.state == LIVE


def test_every_later_acknowledgement_reads_the_head_again(lone: LoneFollower) -> None:
    head = lone.publish(db={"n": 2}, web={"n": 1})

    told = lone.tell(events.Acked())

    assert told[0] == "ReadHead"
    assert lone.follower.served == head


def test_a_follower_without_a_head_waits() -> None:
    lone = LoneFollower()

    lone.follow()

    assert lone.follower.state == WAITING
    assert lone.follower.served is None


def test_a_small_notice_is_applied_without_a_fetch(lone: LoneFollower) -> None:
    head = lone.publish(db={"n": 2}, web={"n": 1})

    told = lone.hear()

    assert told[0] == "Apply"
    assert "Fetch" not in told
    assert lone.document == {"db": {"n": 2}, "web": {"n": 1}}
    assert lone.follower.served
    assert (lone.follower.served.change, lone.follower.served.version) == (head.change, 2)


def test_a_section_that_is_gone_goes_without_a_fetch(lone: LoneFollower) -> None:
    lone.publish(web={"n": 1})

    told = lone.hear()

    assert "Fetch" not in told
    assert lone.document == {"web": {"n": 1}}


def test_a_notice_that_does_not_lead_from_what_runs_to_its_digest_is_only_a_hint(lone: LoneFollower) -> None:
    lone.publish(db={"n": 2}, web={"n": 1})
    lone.publish(db={"n": 2}, web={"n": 3})

    told = lone.hear()

    assert told[:3] == ["ReadHead", "Fetch", "Apply"]
    assert lone.document == {"db": {"n": 2}, "web": {"n": 3}}


def test_a_notice_that_leads_there_from_another_base_is_applied(lone: LoneFollower) -> None:
    lone.publish(db={"n": 2}, web={"n": 1})
    lone.publish(db={"n": 3}, web={"n": 1})

    told = lone.hear()

    assert told[0] == "Apply"
    assert lone.document["db"] == {"n": 3}


def test_blobs_in_a_notice_do_not_count_when_the_head_was_not_read_lately() -> None:
    lone = LoneFollower(Timing(poll_s=5.0, report_s=1e9))
    lone.publish(db={"n": 1})
    lone.follow()
    lone.publish(db={"n": 2})

    lone.now_s += 7
    told = lone.hear()

    assert told[0] == "ReadHead"
    assert lone.document == {"db": {"n": 2}}


def test_a_large_change_is_fetched_within_the_jitter_of_its_notice(lone: LoneFollower) -> None:
    lone.ledger.fleet_size = 10_000
    lone.publish(db={"n": 2, "pad": "x" * 9000}, web={"n": 1})
    jitter_s = lone.store.last_notice.jitter_ms / 1000

    at_once = lone.hear()
    later = lone.wait(jitter_s)

    assert jitter_s > 0.5
    assert at_once == []
    assert later[:3] == ["ReadHead", "Fetch", "Apply"]


def test_a_fleet_spreads_over_the_jitter() -> None:
    wakes: list[float] = []
    for seed in range(50):
        lone = LoneFollower(seed=seed)
        lone.publish(db={"n": 1})
        lone.follow()
        lone.ledger.fleet_size = 10_000
        lone.publish(db={"n": 2, "pad": "x" * 9000})
        lone.hear()
        heard_at_s = lone.now_s
        while lone.document["db"]["n"] == 1:
            lone.wait(0.01)
        wakes.append((lone.now_s - heard_at_s) * 1000 / lone.store.last_notice.jitter_ms)

    assert min(wakes) < 0.1
    assert 0.9 < max(wakes) < 1.02


def test_duplicate_and_late_notices_are_ignored(lone: LoneFollower) -> None:
    for number in (2, 3):
        lone.publish(db={"n": number}, web={"n": 1})
        lone.hear()

    again = lone.hear()
    late = lone.hear(lone.store.notices[1])

    assert (again, late) == ([], [])
    assert lone.document["db"] == {"n": 3}


def test_a_notice_without_facts_reads_the_head_at_once(lone: LoneFollower) -> None:
    lone.publish(db={"n": 2}, web={"n": 1})

    told = lone.hear(HINT)

    assert told[:2] == ["ReadHead", "Fetch"]
    assert lone.document["db"] == {"n": 2}


def test_garbage_is_counted_and_answered_by_reading_the_head_soon(lone: LoneFollower) -> None:
    lone.publish(db={"n": 2}, web={"n": 1})

    at_once = lone.hear(b"\xc1garbage")
    soon = lone.wait(lone.follower.timing.announce_s)

    assert at_once == []
    assert soon[:2] == ["ReadHead", "Fetch"]
    assert lone.follower.counts.malformed == 1
    assert lone.follower.counts.healed == 0


def test_a_flood_of_garbage_does_not_become_a_flood_of_reads(lone: LoneFollower) -> None:
    told: list[str] = []

    for _ in range(1000):
        told += lone.hear(b"garbage")
        told += lone.wait(0.01)

    assert told.count("ReadHead") <= 40


def test_a_head_that_changed_without_its_content_is_seen_without_a_fetch(lone: LoneFollower) -> None:
    lone.ledger.resume([], ANN)

    told = lone.hear(HINT)

    assert told == ["ReadHead", "Report"]
    assert lone.follower.seen == lone.store.head()
    assert lone.follower.state == LIVE


def test_the_same_content_under_a_new_version_is_served_as_that_version(lone: LoneFollower) -> None:
    first = lone.ledger.release(1)
    lone.publish(db={"n": 2}, web={"n": 1})
    lone.hear()
    lone.ledger.rollback(first, ANN)
    lone.hear()
    lone.ledger.rollback(first, ANN)

    told = lone.hear()

    assert "Apply" in told
    assert lone.follower.served
    assert lone.follower.served.version == 4
    assert lone.document["db"] == {"n": 1}


def test_a_refused_release_keeps_what_runs(lone: LoneFollower) -> None:
    head = lone.publish(db={"n": 2}, web={"n": 1})
    lone.refusing = {head.digest}

    lone.hear()

    assert lone.document["db"] == {"n": 1}
    assert lone.follower.state == VETOING
    assert lone.follower.error == "a validator said no"
    assert lone.follower.seen
    assert lone.follower.seen.change == head.change
    assert lone.follower.counts.vetoes == 1


def test_a_refused_content_is_not_judged_again_under_any_version(lone: LoneFollower) -> None:
    head = lone.publish(db={"n": 2}, web={"n": 1})
    lone.refusing = {head.digest}
    lone.hear()
    lone.ledger.resume([], ANN)

    told = lone.hear() + lone.tell(events.Acked()) + lone.wait(20)

    assert "Apply" not in told
    assert "Fetch" not in told
    assert lone.follower.state == VETOING
    assert lone.follower.seen == lone.store.head()


def test_a_refused_content_is_judged_again_soon_after_a_validator_changed(lone: LoneFollower) -> None:
    head = lone.publish(db={"n": 2}, web={"n": 1})
    lone.refusing = {head.digest}
    lone.hear()

    lone.refusing = set()
    lone.follower.judge_again()
    told = lone.wait(0)

    assert told[:3] == ["ReadHead", "Fetch", "Apply"]
    assert lone.document["db"] == {"n": 2}
    assert lone.follower.state == LIVE
    assert lone.wait(20).count("Connect") == 0


def test_a_rollback_of_what_was_refused_ends_the_veto(lone: LoneFollower) -> None:
    first = lone.ledger.release(1)
    head = lone.publish(db={"n": 2}, web={"n": 1})
    lone.refusing = {head.digest}
    lone.hear()

    lone.ledger.rollback(first, ANN)
    told = lone.hear()

    assert told[0] == "Apply"
    assert lone.follower.state == LIVE
    assert lone.follower.served
    assert lone.follower.served.version == 3


def test_unchanged_sections_are_the_very_same_objects_after_a_notice_and_after_a_fetch(lone: LoneFollower) -> None:
    web = lone.document["web"]

    lone.publish(db={"n": 2}, web={"n": 1})
    lone.hear()
    lone.publish(db={"n": 3}, web={"n": 1})
    lone.tell(events.Acked())

    assert lone.document["db"] == {"n": 3}
    assert lone.document["web"] is web
