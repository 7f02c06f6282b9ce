"""A release that does harm is undone by whoever is active, wherever its publisher died; and nothing else is."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from confbus_publisher.guard.guard import Terms
from confbus_publisher.guard.guarding import Policy
from confbus_publisher.guard.limit import Limit
from confbus_publisher.guard.probe import Probe, python_objection
from support.bus import Killed, MortalStore, digest_of, document
from support.eventually import eventually
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confbus import Snapshot
    from support.bus import Bus, RunningPublisher
    from support.server import Server

LONG, SHORT = Policy(Terms(600.0)), Policy(Terms(0.3))


def odd_only(snapshot: Snapshot) -> None:
    if snapshot["number"] % 2 == 0:
        raise ValueError("web: the pool is too small")


def entry(bus: Bus, action: str) -> dict[str, str]:
    """The last one of this kind in the audit trail."""
    entries = (dict(each.fields) for each in bus.ledger.store.log(50))
    return next((fields for fields in entries if fields["action"] == action), dict[str, str]())


def reports(bus: Bus) -> list[dict[str, Any]]:
    return [json.loads(raw) for raw in bus.ledger.store.fleet().values()]


def is_vetoed(bus: Bus) -> bool:
    """Whether an instance told the fleet that it refuses what is guarded."""
    guard = bus.ledger.store.guard()
    vetoes = [each["seen"]["change"] for each in reports(bus) if each["state"] == "vetoing"]
    return guard is not None and guard.change in vetoes


def started(bus: Bus, policy: Policy = LONG, *, willing: int = 1) -> RunningPublisher:
    """A guarding publisher, a worker that refuses even documents, and some that do not."""
    publisher = bus.publisher(1, guard=policy)
    bus.worker(validators=[odd_only])
    for _ in range(willing):
        bus.worker()
    bus.agree(1)
    return publisher


def assert_undone(bus: Bus) -> None:
    """Everybody comes back to document 1, and who refused the other never had it."""
    bus.story.append(1)
    eventually(lambda: entry(bus, "rollback"))
    bus.agree(1)
    assert bus.ledger.store.guard() is None
    assert {snapshot["number"] % 2 for snapshot in bus.workers[0].saw} == {1}


def test_one_veto_undoes_a_release_everywhere(bus: Bus) -> None:
    publisher = started(bus, willing=2)

    bus.edit(publisher, 2)

    assert_undone(bus)
    eventually(lambda: publisher.state == "held")
    undone = entry(bus, "rollback")
    assert undone["message"].startswith("guard: 1 of 3 instances refused it: ")
    assert undone["message"].endswith("odd_only: web: the pool is too small")
    assert (undone["author"], undone["from"], undone["of"]) == ("ann", "2", "1")
    assert undone["message"] in publisher.why
    assert (publisher.publisher.standing.rolled_back, publisher.publisher.standing.passed) == (1, 0)
    assert bus.actions() == [("publish", 1), ("publish", 2), ("rollback", 3)]


def test_what_nobody_refuses_is_accepted(bus: Bus) -> None:
    publisher = started(bus, SHORT)

    bus.edit(publisher, 3)
    bus.agree(3)

    eventually(lambda: publisher.publisher.standing.passed == 1)
    eventually(lambda: (publisher.state, publisher.why) == ("in step", ""))
    assert bus.actions() == [("publish", 1), ("publish", 2), ("guarded", 2)]
    assert bus.ledger.store.guard() is None


def test_as_many_vetoes_as_the_limit_says_are_borne(bus: Bus) -> None:
    publisher = started(bus, Policy(Terms(0.3, Limit(50, is_share=True))))

    bus.edit(publisher, 2)

    eventually(lambda: publisher.publisher.standing.passed == 1)
    eventually(lambda: (bus.workers[0].number, bus.workers[1].number) == (1, 2))
    bus.assert_sane()


def test_what_is_mended_is_published_and_watched_again(bus: Bus) -> None:
    publisher = started(bus)
    bus.edit(publisher, 2)
    assert_undone(bus)

    bus.edit(publisher, 3)
    bus.agree(3)

    guard = bus.ledger.store.guard()
    assert guard
    assert (guard.version, guard.back) == (4, 3)


def test_an_operator_who_goes_back_first_is_left_alone(bus: Bus) -> None:
    publisher = started(bus, Policy(Terms(600.0, Limit(9))))
    bus.edit(publisher, 2)
    eventually(lambda: is_vetoed(bus))

    bus.rollback(to=1)

    bus.agree(1)
    eventually(lambda: publisher.state == "held")
    assert bus.actions() == [("publish", 1), ("publish", 2), ("rollback", 3)]
    assert entry(bus, "rollback")["author"] == "operator"


def dies(bus: Bus, number: int, *, at: int, has_sent: bool) -> bool:
    """A guarding publisher begins with document `number`, and dies at its call `at`: while it publishes that, or while
    it undoes it."""
    publisher, _ = bus.resting_publisher(number, guard=LONG)
    store = publisher.ledger.store
    assert isinstance(store, MortalStore)
    store.dies_at, store.has_sent = at, has_sent
    try:
        publisher.turn()
        eventually(lambda: is_vetoed(bus))
        publisher.turn()
    except Killed:
        return True
    finally:
        store.close()
    return False


@pytest.mark.slow
@pytest.mark.parametrize("has_sent", [False, True], ids=["before it asks", "before it hears"])
def test_wherever_a_publisher_dies_its_heir_undoes_what_does_harm_once(
    bus: Bus, server: Server, has_sent: bool
) -> None:
    bus.publisher(1, guard=LONG).stop()
    bus.worker(validators=[odd_only])
    bus.worker()
    bus.agree(1)

    deaths, step, number = 0, 0, 2
    while dies(bus, number, at=step, has_sent=has_sent):
        server.client().delete(bus.keys.lease)  # it runs out
        heir = bus.publisher(number, guard=LONG)
        assert_undone(bus)
        heir.stop()
        deaths, step, number = deaths + 1, step + scaled(3, 1), number + 2

    bus.story.append(1)
    bus.agree(1)
    assert deaths > scaled(5, 20)
    assert bus.actions() == [("publish", 1)] + [
        (action, 2 * each + at) for each in range(1, deaths + 2) for action, at in (("publish", 0), ("rollback", 1))
    ]


def test_a_standby_finishes_what_the_active_one_began(bus: Bus) -> None:
    first = started(bus, Policy(Terms(600.0, Limit(9))))
    second = bus.publisher(1, name="bob", guard=LONG)
    bus.edit(first, 2)
    second.write(document(2))
    eventually(lambda: is_vetoed(bus))
    first.kill()

    bus.client.hset(bus.keys.guard, "vetoes", "0")

    assert_undone(bus)
    assert entry(bus, "rollback")["author"] == "bob"


@pytest.mark.parametrize("is_bad", [True, False], ids=["refused", "accepted"])
def test_what_ran_out_while_nobody_was_active_is_judged_by_the_next(bus: Bus, server: Server, is_bad: bool) -> None:
    started(bus).stop()
    number = 2 if is_bad else 3
    publisher, _ = bus.resting_publisher(number, guard=Policy(Terms(0.05)))
    publisher.turn()
    publisher.ledger.store.close()
    guard = bus.ledger.store.guard()
    assert guard
    eventually(lambda: is_vetoed(bus) is is_bad and guard.is_over(bus.ledger.store.time_ms()))
    server.client().delete(bus.keys.lease)  # it runs out

    heir = bus.publisher(number, guard=LONG)

    if is_bad:
        assert_undone(bus)
    else:
        eventually(lambda: heir.publisher.standing.passed == 1)
        bus.agree(3)
    assert [action for action, _ in bus.actions()] == ["publish", "publish", "rollback" if is_bad else "guarded"]


@pytest.mark.parametrize("restarts", [False, True], ids=["it stays", "it begins anew"])
def test_a_loss_of_data_does_not_end_a_guard(own_bus: Bus, own_server: Server, restarts: bool) -> None:
    bus, policy = own_bus, Policy(Terms(600.0, Limit(1)))
    publisher = started(bus, policy)
    bus.edit(publisher, 2)
    eventually(lambda: is_vetoed(bus) and publisher.remembers(2) and bus.workers[1].number == 2)
    if restarts:
        publisher.stop()

    own_server.client().flushall()
    if restarts:
        bus.publisher(2, guard=policy)
    eventually(lambda: is_vetoed(bus))  # The instance refuses it under its new number, too.
    guard = bus.ledger.store.guard()
    assert guard
    assert (guard.version, guard.back, guard.vetoes) == (3, 1, Limit(1))
    bus.client.hset(bus.keys.guard, "vetoes", "0")

    assert_undone(bus)
    assert entry(bus, "rollback")["message"].startswith("guard: 1 of 2 instances refused it: ")


FORGED: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "another change": lambda veto: encoded(veto | {"seen": veto["seen"] | {"change": "f00"}}),
    "an unknown state": lambda veto: encoded(veto | {"state": "refusing"}),
    "nothing seen": lambda veto: encoded(veto | {"seen": None}),
    "dead": lambda veto: encoded(veto | {"at": 1}),
    "from the future": lambda veto: encoded(veto | {"at": veto["at"] + 10**9}),
    "no JSON": lambda _: b"vetoing",
    "a depth": lambda _: b"[" * 8000,
    "endless": lambda veto: encoded(veto | {"error": "x" * 10**5}),
}


def encoded(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts).encode()


def test_forged_reports_undo_nothing(bus: Bus) -> None:
    publisher = started(bus, LONG)
    bus.edit(publisher, 3)
    bus.agree(3)
    willing = eventually(lambda: next((each for each in reports(bus) if each["state"] == "live"), None))
    assert willing

    for name, forge in FORGED.items():
        bus.ledger.store.report(name, forge(willing | {"state": "vetoing", "seen": willing["seen"]}))
    eventually(lambda: set(bus.ledger.store.fleet()) & {"no JSON", "dead", "endless"} == set())
    guard = bus.ledger.store.guard()
    assert guard
    bus.client.hset(bus.keys.guard, "until", str(guard.since_ms))

    eventually(lambda: publisher.publisher.standing.passed == 1)
    bus.agree(3)
    assert bus.actions() == [("publish", 1), ("publish", 2), ("guarded", 2)]


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """What keeps a probe, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_a_probe_that_hangs_undoes_the_release_and_holds_nobody_up(bus: Bus, stuck: threading.Event) -> None:
    probe = Probe(name="shop", objection=python_objection(lambda _: stuck.wait(60)), failures=1, timeout_s=0.1)
    publisher = started(bus, Policy(Terms(600.0), (probe,)))

    bus.edit(publisher, 3)

    assert_undone(bus)
    assert entry(bus, "rollback")["message"] == "guard: the probe shop failed: no answer within 0.1 s"
    bus.edit(publisher, 5)
    eventually(lambda: publisher.has_published(5))


def test_a_probe_is_asked_about_what_is_out(bus: Bus) -> None:
    asked: list[int] = []

    def healthy(snapshot: Snapshot) -> bool:
        asked.append(snapshot["number"])
        return bool(snapshot["number"] != 3)

    probe = Probe(name="shop", objection=python_objection(healthy), failures=2, interval_s=0.05)
    publisher = started(bus, Policy(Terms(600.0), (probe,)))

    bus.edit(publisher, 3)

    assert_undone(bus)
    assert asked == [3, 3]
    assert digest_of(1) == bus.workers[1].config.snapshot.digest
