"""What a registry shows of a publisher: what it did, and where it and its fleet stand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import values
from prometheus_client.multiprocess import MultiProcessCollector

from confbus.metrics.worker import STATES
from confbus.wire.record import replace
from confbus_publisher.checks import Candidate, Problem
from confbus_publisher.guard.guard import Terms
from confbus_publisher.guard.guarding import Policy
from confbus_publisher.ledger import Ledger, Why
from support.metered import Metered
from support.places import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TREE = {"web": {"port": 80}}


class PortCheck:
    """Refuses what has no port below 100."""

    name = "port"
    needs_head = False

    def __call__(self, candidate: Candidate) -> Iterable[Problem]:
        if candidate.tree["web"]["port"] >= 100:
            yield Problem(("web", "port"), "it is too high", rule="web.port < 100")


@pytest.fixture
def metered() -> Metered:
    """One that has published version 1."""
    metered = Metered(TREE, checks=[PortCheck()])
    metered.publisher.turn()
    return metered


def fleet_of(metered: Metered) -> dict[tuple[str, str], float]:
    """What is shown of the fleet, by version and state."""
    shown = [sample for family in metered.registry.collect() for sample in family.samples]
    fleet = [sample for sample in shown if sample.name == "confbus_fleet_instances"]
    return {(sample.labels["version"], sample.labels["state"]): sample.value for sample in fleet}


def test_a_publish_shows_in_version_size_outcome_and_duration(metered: Metered) -> None:
    metered.publish({"web": {"port": 81}, "db": {"host": "a"}})
    state = metered.publisher.ledger.state

    assert state
    assert metered.value("version") == 2
    assert metered.value("document_sections") == 2
    assert metered.value("document_bytes") == state.release.size
    assert metered.value("publishes_total", outcome="published") == 2
    assert metered.value("publishes_total", outcome="refused") == 0
    assert metered.value("publish_duration_seconds_count") == 2
    assert metered.value("lease_held") == 1
    assert metered.value("publisher_state", state="in step") == 1


def test_looks_at_the_sources_are_counted_by_what_they_found(metered: Metered) -> None:
    metered.publisher.turn()
    metered.publish({"web": {"port": 81}})

    assert metered.value("reloads_total", outcome="changed") == 2
    assert metered.value("reloads_total", outcome="unchanged") == 1
    assert metered.value("reload_duration_seconds_count") == 2


def test_a_source_that_fails_is_unhealthy_and_grows_old_until_it_is_read_again(metered: Metered) -> None:
    metered.edits.is_broken = True
    metered.clock.advance(60)
    metered.publisher.turn()
    broken = metered.value("source_healthy", source="edits"), metered.value("sources_healthy")
    read_at = metered.value("source_read_timestamp_seconds", source="edits")
    metered.edits.is_broken = False
    metered.publisher.turn()

    assert broken == (0, 0)
    assert read_at is not None
    assert 55 < time.time() - read_at < 65
    assert metered.value("source_healthy", source="edits") == metered.value("sources_healthy") == 1
    assert metered.value("sources") == 1


def test_what_a_rule_refuses_is_counted_by_the_rule_and_once_for_each_content(metered: Metered) -> None:
    metered.publish({"web": {"port": 8080}})
    metered.publisher.turn()
    metered.publish({"web": {"port": 8081}})

    assert metered.value("checks_failed_total", rule="web.port < 100") == 2
    assert metered.value("publishes_total", outcome="refused") == 2
    assert metered.value("publisher_state", state="refused") == 1
    assert metered.value("version") == 1


def test_a_section_that_was_rolled_back_shows_as_held_until_it_changes(metered: Metered) -> None:
    metered.publish({"web": {"port": 81}})
    ledger = metered.publisher.ledger
    ledger.rollback(ledger.history()[-1], Why("operator", "", "rollback"))
    metered.publisher.turn()
    held = metered.value("sections_held"), metered.value("section_held", section="web")
    metered.publish({"web": {"port": 82}})

    assert held == (1, 1)
    assert metered.value("sections_held") == 0
    assert metered.value("section_held", section="web") is None


def test_the_fleet_shows_by_version_and_state_and_by_who_lags_behind(metered: Metered) -> None:
    first = metered.head
    for instance in ("a", "b"):
        metered.report(instance, first)
    metered.publish({"web": {"port": 81}})
    metered.report("a", metered.head)
    metered.report("new", None, state="waiting")
    metered.publisher.turn()

    assert metered.value("fleet_instances", version="1", state="live") == 1
    assert metered.value("fleet_instances", version="2", state="live") == 1
    assert metered.value("fleet_instances", version="none", state="waiting") == 1
    assert metered.value("fleet_laggards") == 2


def test_a_publisher_that_stands_by_shows_no_fleet_and_no_lease(metered: Metered) -> None:
    metered.report("a", metered.head)
    metered.publisher.turn()
    second = Metered(TREE, store=metered.store, identity="bob")

    second.publisher.turn()

    assert metered.value("fleet_instances", version="1", state="live") == 1
    assert second.value("fleet_instances", version="1", state="live") is None
    assert second.value("lease_held") == 0
    assert second.value("publisher_state", state="standby") == 1


def test_the_time_to_the_fleet_counts_those_who_were_there_by_the_servers_clock(metered: Metered) -> None:
    for instance in ("quick", "slow"):
        metered.report(instance, metered.head)
    metered.publisher.turn()
    metered.publish({"web": {"port": 81}})
    metered.report("quick", metered.head)
    metered.clock.advance(2)
    metered.report("slow", metered.head)
    metered.report("newcomer", metered.head)

    metered.publisher.turn()
    metered.publisher.turn()

    assert metered.value("uptake_duration_seconds_count") == 2
    assert metered.value("uptake_duration_seconds_sum") == pytest.approx(2.0)
    assert metered.value("uptake_duration_seconds_bucket", le="0.005") == 1


def test_who_did_not_listen_for_long_does_not_time_what_went_out_meanwhile(metered: Metered) -> None:
    metered.report("a", metered.head)
    metered.publisher.turn()
    metered.clock.advance(60)
    metered.report("a", metered.head)
    other = Ledger(metered.store)
    other.refresh()
    other.rollback(other.publish(encoded({"web": {"port": 99}}), Why("operator")), Why("operator", "", "rollback"))

    metered.publisher.turn()
    metered.report("a", metered.head)
    metered.publisher.turn()

    assert metered.value("uptake_duration_seconds_count") == 0


def test_a_fleet_that_is_made_up_fills_no_memory(metered: Metered) -> None:
    for number in range(80):
        metered.report(f"forged-{number}", replace(metered.head, version=1000 + number), state=f"state {number}")

    metered.publisher.turn()

    assert fleet_of(metered) == {("other", "other"): 80}


def test_of_versions_and_states_the_fifty_most_frequent_pairs_are_told_apart(metered: Metered) -> None:
    for port in range(81, 89):
        metered.publish({"web": {"port": port}})
    pairs = [(version, state) for version in range(1, 9) for state in STATES if state != "vetoing"]
    for number, (version, state) in enumerate([*pairs, *pairs[:49], (99, "forged"), (99, "forged")]):
        metered.report(str(number), replace(metered.head, version=version), state=state)

    metered.publisher.turn()

    fleet = fleet_of(metered)
    assert len(fleet) == 50
    assert fleet["1", "live"] == 2
    assert fleet["other", "other"] == 2 + 7


def test_the_files_of_several_processes_do_not_grow_with_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue())
    metered = Metered(TREE)
    collector: Any = MultiProcessCollector(None, str(tmp_path))

    counts: list[int] = []
    for port in range(1, 6):
        metered.publish({"web": {"port": port}})
        metered.report("a", metered.head)
        metered.publisher.turn()
        metered.publisher.measures.beat(at_once=True)
        counts.append(sum(len(family.samples) for family in collector.collect()))

    assert counts[0] > 0
    assert counts == counts[:1] * 5


@pytest.mark.parametrize("outcome", ["passed", "rolled back"])
def test_guards_are_counted_by_what_came_of_them(outcome: str) -> None:
    metered = Metered(TREE, guard=Policy(Terms(60.0)))
    metered.publisher.turn()
    metered.report("a", metered.head)
    metered.publish({"web": {"port": 81}})

    if outcome == "passed":
        metered.clock.advance(61)
    else:
        metered.report("a", metered.head, state="vetoing", error="no")
    metered.publisher.turn()

    assert metered.value("guards_total", outcome=outcome) == 1
    told = [metered.value("guards_total", outcome=each) for each in ("passed", "rolled back", "failed")]
    assert sum(count or 0 for count in told) == 1


def test_a_guard_that_cannot_go_back_is_counted_as_failed() -> None:
    metered = Metered(TREE, guard=Policy(Terms(60.0)))
    metered.publisher.turn()
    metered.publish({"web": {"port": 81}})
    metered.report("a", metered.head, state="vetoing")
    metered.store.lose_release(1)
    metered.clock.advance(20)
    heir = Metered({"web": {"port": 81}}, store=metered.store, clock=metered.clock, identity="bob")

    heir.publisher.turn()

    assert heir.value("guards_total", outcome="failed") == 1
    assert heir.value("guards_total", outcome="rolled back") == 0
