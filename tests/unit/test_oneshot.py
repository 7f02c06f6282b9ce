"""Publishing once: what is refused, and what overrides that."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from confbus.errors import ChecksFailed, LeaseHeld, Lost, Quarantined
from confbus.rule import Verdict, judge
from confbus.status import stand
from confbus_publisher.inputs import Inputs, Merge
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.oneshot import publish_once
from confbus_publisher.sources import DictSource

ANN = Why("ann")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(MemoryStore())


def merge(**tree: Any) -> Merge:
    return Inputs([DictSource(tree)], limit_bytes=1_000_000).load()


def rolled_back(ledger: Ledger) -> Merge:
    """What was published and rolled back."""
    bad = merge(a=2)
    publish_once(ledger, merge(a=1), ANN)
    publish_once(ledger, bad, ANN)
    ledger.rollback(ledger.release(1), ANN)
    return bad


def lose_all(ledger: Ledger) -> Ledger:
    """A store that knows nothing any more, but for an instance that says what it runs."""
    state = ledger.state
    assert state
    seen = stand(state.head)
    assert seen
    store = MemoryStore()
    facts = {"state": "lost", "seen": asdict(seen), "running": asdict(seen), "interval_s": 30, "at": store.time_ms()}
    store.report("worker", json.dumps(facts).encode())
    return Ledger(store)


def test_a_new_merge_becomes_the_next_release(ledger: Ledger) -> None:
    publish_once(ledger, merge(a=1), ANN)

    release = publish_once(ledger, merge(a=2), Why("ann", "because"))

    assert release
    assert (release.version, release.author, release.message) == (2, "ann", "because")


def test_what_the_head_says_already_is_not_published_again(ledger: Ledger) -> None:
    publish_once(ledger, merge(a=1), ANN)

    assert publish_once(ledger, merge(a=1), ANN) is None


def test_beside_another_active_publisher_only_force_publishes(ledger: Ledger) -> None:
    ledger.store.take_lease("web-1", 60_000)

    with pytest.raises(LeaseHeld, match="web-1"):
        publish_once(ledger, merge(a=1), ANN)

    assert publish_once(ledger, merge(a=1), ANN, force=True)
    assert publish_once(ledger, merge(a=2), ANN, identity="web-1")


def test_what_was_rolled_back_goes_out_again_only_by_force(ledger: Ledger) -> None:
    bad = rolled_back(ledger)

    with pytest.raises(Quarantined):
        publish_once(ledger, bad, ANN)

    assert publish_once(ledger, bad, ANN, force=True)


def test_force_ends_the_hold_for_good(ledger: Ledger) -> None:
    bad = rolled_back(ledger)
    publish_once(ledger, bad, ANN, force=True)

    publish_once(ledger, merge(a=3), ANN)

    assert publish_once(ledger, bad, ANN)


def test_adopting_does_not_bring_back_what_was_rolled_back(ledger: Ledger) -> None:
    bad = rolled_back(ledger)

    with pytest.raises(Quarantined):
        publish_once(ledger, bad, ANN, adopt=True)

    assert publish_once(ledger, bad, ANN, adopt=True, force=True)
    assert ledger.store.quarantine() == {}


def test_nothing_at_all_is_published_only_when_it_is_meant(ledger: Ledger) -> None:
    publish_once(ledger, merge(a=1), ANN)

    with pytest.raises(ChecksFailed, match="--allow-empty"):
        publish_once(ledger, merge(), ANN)

    assert publish_once(ledger, merge(), ANN, allow_empty=True)


def test_while_instances_run_what_is_lost_nothing_is_published(ledger: Ledger) -> None:
    publish_once(ledger, merge(a=1), ANN)
    after = lose_all(ledger)

    with pytest.raises(Lost, match="--adopt"):
        publish_once(after, merge(a=2), ANN)


def test_instances_that_run_what_is_lost_follow_what_is_adopted(ledger: Ledger) -> None:
    publish_once(ledger, merge(a=1), ANN)
    before = ledger.state
    after = lose_all(ledger)
    after.store.take_lease("web-1", 60_000)

    release = publish_once(after, merge(a=2), ANN, adopt=True)

    assert release
    assert before
    assert after.state
    assert release.version > before.head.version
    assert judge(before.head, after.state.head) is Verdict.APPLY
