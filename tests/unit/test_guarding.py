"""What a publisher makes of a guard: it goes back, accepts, or watches on; and whoever comes next does the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from confbus.errors import Conflict
from confbus.status import stand
from confbus_publisher.fleet import Report, parse_all, subscribers
from confbus_publisher.guard.guard import Terms
from confbus_publisher.guard.guarding import Guarding, Policy
from confbus_publisher.guard.probe import Probe, python_objection
from confbus_publisher.guard.trial import see_through
from confbus_publisher.ledger import Ledger, Why
from support.clock import Clock
from support.eventually import eventually
from support.places import MemoryPlace, encoded

ANN = Why("ann")
POLICY = Policy(Terms(60.0))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryPlace:
    return MemoryPlace(clock=clock)


@pytest.fixture
def ledger(store: MemoryPlace) -> Ledger:
    """A ledger with two releases, the second of which is on trial."""
    ledger = Ledger(store)
    for number in (1, 2):
        ledger.publish(encoded({"a": {"number": number}}), ANN, terms=POLICY.terms)
    return ledger


def guarding(ledger: Ledger, policy: Policy = POLICY, clock: Clock | None = None) -> Guarding:
    return Guarding(ledger, None, policy, author="ann", **({"clock": clock} if clock else {}))


def live(store: MemoryPlace) -> list[Report]:
    return subscribers(parse_all(store.fleet()), store.time_ms())


def report(store: MemoryPlace, name: str, ledger: Ledger, state: str = "vetoing") -> None:
    seen = stand(ledger.state.head if ledger.state else None)
    assert seen
    facts: dict[str, Any] = {"state": state, "seen": asdict(seen), "interval_s": 30, "at": store.time_ms()}
    store.report(name, json.dumps({**facts, "error": "a.number: too much"}).encode())


def actions(store: MemoryPlace) -> list[str]:
    return [entry.fields["action"] for entry in store.log(100)][::-1]


def test_what_nobody_refuses_is_accepted_at_the_end_and_not_before(
    ledger: Ledger, store: MemoryPlace, clock: Clock
) -> None:
    watcher = guarding(ledger)
    report(store, "web-1", ledger, "live")

    clock.advance(59.9)
    watcher.judge(live(store))
    before = (watcher.passed, watcher.pending, watcher.due_in_s)
    clock.advance(0.1)
    watcher.judge(live(store))

    assert before[0] == 0
    assert before[1]
    assert before[2] <= 0.5
    assert (watcher.passed, watcher.pending, watcher.due_in_s) == (1, None, float("inf"))
    assert actions(store) == ["publish", "publish", "guarded"]
    assert store.log(1)[0].fields == {
        "action": "guarded",
        "version": "2",
        "author": "ann",
        "message": "watched for 60 s",
    }


def test_what_an_instance_refuses_is_undone_with_its_reason(ledger: Ledger, store: MemoryPlace) -> None:
    watcher = guarding(ledger)
    report(store, "web-1", ledger, "live")
    report(store, "web-2", ledger)

    release = watcher.judge(live(store))

    assert release
    assert (release.version, release.of, release.author) == (3, 1, "ann")
    assert release.message == "guard: 1 of 2 instances refused it: web-2: a.number: too much"
    assert [release.message in why for why in store.quarantine().values()] == [True]
    assert (watcher.rolled_back, watcher.pending, store.guard()) == (1, None, None)
    assert actions(store) == ["publish", "publish", "rollback"]


def test_nothing_is_judged_without_a_guard(ledger: Ledger, store: MemoryPlace) -> None:
    ledger.publish(encoded({"a": {"number": 3}}), ANN)
    report(store, "web-1", ledger)

    assert guarding(ledger).judge(live(store)) is None
    assert actions(store) == ["publish"] * 3


def test_an_objection_of_the_caller_counts_as_well(ledger: Ledger, store: MemoryPlace) -> None:
    release = guarding(ledger).judge([], objection="healthy: it said no")

    assert release
    assert release.message == "guard: healthy: it said no"


def test_the_next_publisher_judges_what_is_over_by_what_is_said_now(
    ledger: Ledger, store: MemoryPlace, clock: Clock
) -> None:
    report(store, "web-1", ledger)
    clock.advance(80)  # The instance is live for 90 s.
    heir = Ledger(store)
    heir.refresh()

    release = guarding(heir).judge(live(store))

    assert release
    assert release.of == 1


def test_a_guard_that_somebody_ended_is_not_acted_upon(ledger: Ledger, store: MemoryPlace) -> None:
    report(store, "web-1", ledger)
    guard = store.guard()
    assert guard
    store.end_guard(guard, {"action": "guarded"})

    assert guarding(ledger).judge(live(store)) is None
    assert actions(store) == ["publish", "publish", "guarded"]


def test_a_probe_that_fails_undoes_the_release(ledger: Ledger, store: MemoryPlace, clock: Clock) -> None:
    numbers: list[int] = []

    def healthy(snapshot: Any) -> bool:
        numbers.append(snapshot["a.number"])
        return False

    probe = Probe(name="healthy", objection=python_objection(healthy), failures=2)
    watcher = guarding(ledger, Policy(POLICY.terms, (probe,)), clock)

    def judged() -> bool:
        clock.advance(1)
        watcher.judge(live(store))
        return watcher.rolled_back == 1

    eventually(judged)

    assert set(numbers) == {2}
    assert "guard: the probe healthy failed 2 times in a row: " in store.log(1)[0].fields["message"]


def test_what_is_over_is_not_accepted_before_each_probe_answered(
    ledger: Ledger, store: MemoryPlace, clock: Clock
) -> None:
    answers: list[Any] = []
    probe = Probe(name="healthy", objection=python_objection(answers.append))
    watcher = guarding(ledger, Policy(POLICY.terms, (probe,)), clock)
    clock.advance(61)

    watcher.judge(live(store))
    eventually(lambda: watcher.judge(live(store)) is None and watcher.passed)

    assert len(answers) == 1
    assert actions(store) == ["publish", "publish", "guarded"]


def test_with_nowhere_to_go_back_to_the_guard_ends_and_says_so(store: MemoryPlace, ledger: Ledger) -> None:
    report(store, "web-1", ledger)
    store.lose_release(1)
    late = Ledger(store)
    late.refresh()
    watcher = guarding(late)

    assert watcher.judge(live(store)) is None

    assert watcher.trouble.startswith("version 2 does harm, and version 1 is gone: 1 of 1 instance refused it")
    assert actions(store) == ["publish", "publish", "guard failed"]
    assert store.guard() is None


def test_a_loss_of_data_between_two_looks_ends_no_guard(ledger: Ledger, store: MemoryPlace) -> None:
    ledger.refresh()
    known = ledger.state.guard if ledger.state else None

    store.lose_all()
    with pytest.raises(Conflict, match="expected revision 2, found no head"):
        guarding(ledger).judge([])

    assert known
    assert ledger.state
    assert ledger.state.guard == known


def test_a_trial_that_the_active_publisher_lets_run_out_is_judged_by_who_waits_for_it(
    ledger: Ledger, store: MemoryPlace, clock: Clock
) -> None:
    waited: list[float] = []

    def hang(pause_s: float) -> None:
        """Somebody keeps the lease and looks after nothing."""
        store.take_lease("hanging", 3_600_000)
        waited.append(pause_s)
        clock.advance(10)

    ending = see_through(ledger, POLICY, author="bob", pause=hang)

    assert ending is not None
    assert (ending.word, ending.version) == ("passed", 2)
    assert 60 < 10 * len(waited) <= 110
    assert actions(store)[-1] == "guarded"


def test_a_trial_that_the_server_lost_is_not_over_until_its_time_is(
    ledger: Ledger, store: MemoryPlace, clock: Clock
) -> None:
    waited: list[float] = []

    def lose(pause_s: float) -> None:
        store.lose_all()
        waited.append(pause_s)
        clock.advance(10)

    ending = see_through(ledger, POLICY, author="bob", pause=lose)

    assert ending is not None
    assert (ending.word, ending.why) == ("failed", "the server has lost version 2, and nobody brought it back")
    assert 60 < 10 * len(waited) <= 110


def test_a_trial_that_was_lost_and_brought_back_ends_as_it_ends_there(ledger: Ledger, store: MemoryPlace) -> None:
    active = Ledger(store)
    known = active.refresh()
    assert known

    def bring_back_and_undo(_pause_s: float) -> None:
        store.lose_all()
        active.refresh()
        active.anchor(known, Why("active", "the head is gone", "restore"))
        assert known.retreat
        active.rollback(known.retreat.release, Why("active", "guard: web-1 refused it", "rollback"))

    ending = see_through(ledger, POLICY, author="bob", pause=bring_back_and_undo)

    assert ending is not None
    assert (ending.word, ending.why) == ("rolled back", "guard: web-1 refused it")
    assert actions(store) == ["restore", "rollback"]
