"""Waiting for a fleet of which some hang, refuse, come, go or lie, on a server that is away for a while."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.testing import Proxy
from confbus.wire.record import replace
from confbus_publisher.quorum import ALL, Quorum
from confbus_publisher.survey import survey
from confbus_publisher.waiting import wait_for_fleet
from support.bus import OPERATOR, TIMING
from support.eventually import eventually
from support.family import Family
from support.seals import sealed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confbus import Snapshot
    from confbus_publisher.survey import Survey
    from confbus_publisher.uptake import Uptake
    from support.bus import Bus, Worker
    from support.server import Server

CALM = replace(TIMING, report_s=30.0)
"""So that a machine that is busy does not make anybody silent."""

ALONE = """
TIMING = confbus.Timing(poll_s=0.3, report_s=30.0)
config = connect()
print(config.instance, flush=True)
rest()
"""


def refuse_two(snapshot: Snapshot) -> None:
    if snapshot["number"] == 2:
        raise ValueError("two is too much")


def surveyed(bus: Bus, count: int) -> Survey:
    """Who is there, once `count` instances run the head."""

    def there() -> Survey | None:
        state, seen = bus.ledger.refresh(), survey(bus.ledger.store)
        stands = [report.running.change for report in seen.instances if report.running]
        return seen if state and stands == [state.head.change] * count else None

    return eventually(there)  # type: ignore[return-value]  # `eventually` gives only what is true


def waited(
    bus: Bus,
    before: Survey,
    on_progress: Callable[[Uptake], object] = lambda _: None,
    *,
    quorum: Quorum = ALL,
    timeout_s: float = 30.0,
) -> Uptake:
    """The end of a wait for the head that the bus knows."""
    assert bus.ledger.state
    return wait_for_fleet(
        bus.ledger, before, bus.ledger.state, timeout_s=timeout_s, quorum=quorum, on_progress=on_progress
    )


def applied_by(bus: Bus, worker: Worker) -> Any:
    """What a worker reports, as soon as it says that it runs version 2."""
    report = json.loads(bus.ledger.store.fleet()[worker.config.instance])
    return report if report["running"]["version"] == 2 else None


class Once:
    """Does something when an uptake is told for the first time."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self.told: list[Uptake] = []

    def __call__(self, uptake: Uptake) -> None:
        self.told.append(uptake)
        if len(self.told) == 1:
            self._act()


@pytest.mark.slow
def test_a_process_that_hangs_is_silent_and_counts_when_it_goes_on(bus: Bus, tmp_path: Path) -> None:
    bus.publish(1)
    bus.worker(timing=CALM)
    with Family(bus, tmp_path / "family") as family:
        process = family.run(ALONE)
        assert process.stdout
        instance = process.stdout.readline().strip()
        before = surveyed(bus, 2)
        process.send_signal(signal.SIGSTOP)

        bus.publish(2)
        hanging = waited(bus, before, quorum=Quorum(count=1))
        going_on = waited(bus, before, Once(lambda: process.send_signal(signal.SIGCONT)))

        assert [(each.instance, each.state, each.running) for each in hanging.laggards] == [(instance, "silent", 1)]
        assert len(hanging.applied) == 1
        assert (len(going_on.applied), going_on.is_reached) == (2, True)
        bus.agree(2)


def test_a_fleet_whose_link_is_cut_is_late_and_not_lost(bus: Bus, proxy: Proxy) -> None:
    bus.publish(1)
    worker = bus.worker(url=proxy.url, timing=CALM)
    before = surveyed(bus, 1)
    proxy.stall()

    bus.publish(2)
    once = Once(proxy.flow)
    uptake = waited(bus, before, once)

    assert [each.state for each in once.told[0].laggards] == ["silent"]
    assert uptake.applied == (worker.config.instance,)
    bus.agree(2)


def test_a_veto_ends_the_wait_and_a_rollback_takes_it_back_everywhere(bus: Bus) -> None:
    bus.publish(1)
    refusing, willing = bus.worker(validators=[refuse_two], timing=CALM), bus.worker(timing=CALM)
    before = surveyed(bus, 2)

    bus.publish(2)
    refused = waited(bus, before)
    bus.rollback(to=1)
    taken_back = waited(bus, before)

    assert [(each.instance, each.reason) for each in refused.laggards] == [
        (refusing.config.instance, "refuse_two: two is too much")
    ]
    assert refused.applied == (willing.config.instance,)
    assert taken_back.is_reached
    assert 2 not in {snapshot["number"] for snapshot in refusing.saw}
    bus.agree(1)


def test_who_comes_meanwhile_is_listed_and_not_counted(bus: Bus, proxy: Proxy) -> None:
    bus.publish(1)
    late = bus.worker(url=proxy.url, timing=CALM)
    before = surveyed(bus, 1)
    proxy.stall()
    bus.publish(2)

    def one_more() -> None:
        newcomer = bus.worker(timing=CALM).config.instance
        eventually(lambda: newcomer in bus.ledger.store.fleet())
        proxy.flow()

    uptake = waited(bus, before, Once(one_more))

    assert uptake.appeared == (bus.workers[1].config.instance,)
    assert (uptake.applied, uptake.expected) == ((late.config.instance,), 1)
    bus.agree(2)


def test_who_goes_meanwhile_is_listed_and_not_waited_for(bus: Bus, proxy: Proxy) -> None:
    bus.publish(1)
    bus.worker(timing=CALM)
    going = bus.worker(url=proxy.url, timing=CALM).config.instance
    before = surveyed(bus, 2)
    proxy.stall()
    bus.publish(2)

    uptake = waited(bus, before, Once(lambda: bus.ledger.store.forget([going])))

    assert (uptake.vanished, uptake.expected, uptake.is_reached) == ((going,), 1, True)
    proxy.flow()
    bus.agree(2)


def test_another_release_in_its_place_ends_the_wait_and_is_named(bus: Bus, proxy: Proxy) -> None:
    bus.publish(1)
    bus.worker(url=proxy.url, timing=CALM)
    before = surveyed(bus, 1)
    proxy.stall()
    bus.publish(2)

    uptake = waited(bus, before, Once(lambda: bus.rollback(to=1)))

    assert (uptake.superseded_by, uptake.is_reached) == (3, False)
    assert uptake.setback == "version 3 by operator (it was bad) took its place"
    proxy.flow()
    bus.agree(1)


@pytest.mark.slow
def test_a_standby_that_takes_over_meanwhile_changes_nothing(bus: Bus, proxy: Proxy) -> None:
    active = bus.publisher(1)
    standby = bus.publisher(1, name="bob")
    worker = bus.worker(url=proxy.url, timing=CALM)
    before = surveyed(bus, 1)
    proxy.stall()
    bus.edit(active, 2)
    eventually(lambda: standby.has_published(2))
    bus.ledger.refresh()

    def take_over() -> None:
        active.kill()
        eventually(lambda: standby.is_active)
        proxy.flow()

    uptake = waited(bus, before, Once(take_over))

    assert uptake.applied == (worker.config.instance,)
    assert worker.number == 2


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.slow
def test_a_server_that_goes_away_is_waited_out(own_bus: Bus, own_server: Server, *, empty: bool) -> None:
    with Proxy(own_server.url) as proxy:
        publisher = own_bus.publisher(1)
        worker = own_bus.worker(url=proxy.url, timing=CALM)
        before = surveyed(own_bus, 1)
        proxy.stall()
        own_bus.edit(publisher, 2)
        eventually(lambda: publisher.remembers(2))
        own_bus.ledger.refresh()

        def come_back() -> None:
            own_server.restart(empty=empty)
            proxy.flow()

        uptake = waited(own_bus, before, Once(come_back))

        assert (uptake.applied, uptake.vanished) == ((worker.config.instance,), ())
        own_bus.agree(2)


def test_a_section_without_a_key_holds_the_wait_up_only_when_it_changed(bus: Bus) -> None:
    def publish(number: int, host: str) -> None:
        tree = {"number": number, "db": {"host": host}}
        bus.ledger.refresh()
        bus.ledger.publish(sealed(tree, "db", namespace=bus.namespace), OPERATOR)

    publish(1, "a")
    with confbus.connect(bus.url, namespace=bus.namespace, timing=CALM) as worker:
        before = surveyed(bus, 1)
        publish(2, "a")
        beside = waited(bus, before)
        publish(3, "b")
        without_key = waited(bus, before)

        assert (beside.is_reached, beside.remarks) == (True, (f"{worker.instance} applied it, locked: db",))
        assert [(each.state, each.reason) for each in without_key.laggards] == [("locked", "it has no key for db")]
        assert not without_key.is_reached
        assert worker["number"] == 3


def test_reports_that_somebody_forged_do_not_add_to_the_count(bus: Bus, proxy: Proxy) -> None:
    bus.publish(1)
    honest, late = bus.worker(timing=CALM), bus.worker(url=proxy.url, timing=CALM)
    before = surveyed(bus, 2)
    proxy.stall()
    bus.publish(2)
    applied = eventually(lambda: applied_by(bus, honest))

    def forge() -> None:
        lies: dict[str, Any] = {
            "somebody:1:0": applied,
            "somebody:2:0": applied | {"instance": late.config.instance},
            "somebody:3:0": "[" * 5000,
        }
        for name, lie in lies.items():
            bus.ledger.store.report(name, json.dumps(lie).encode())
        bus.ledger.store.report(late.config.instance, json.dumps(applied | {"at": 10**15}).encode())

    uptake = waited(bus, before, Once(forge), timeout_s=0.5)

    assert uptake.applied == (honest.config.instance,)
    assert [(each.instance, each.state) for each in uptake.laggards] == [(late.config.instance, "silent")]
    assert not uptake.is_reached
    proxy.flow()
    assert waited(bus, before).is_reached
    bus.agree(2)
