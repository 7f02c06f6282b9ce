"""What somebody holds, no publisher changes by itself, until it is lifted or ended; also after a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.holds.hold import ALL, lift, put
from confbus_publisher.holds.holding import Holding
from support.bus import document
from support.eventually import eventually
from support.places import encoded

if TYPE_CHECKING:
    import pytest

    from support.bus import Bus
    from support.server import Server


def test_a_change_of_what_is_held_waits_until_it_is_lifted(bus: Bus) -> None:
    publisher = bus.publisher(1)
    bus.worker()
    put(bus.ledger.store, "web", by="operator", reason="the migration")
    bus.edit(publisher, 2)

    eventually(lambda: publisher.state == "held")
    assert bus.workers[0].stands_at(1, 1)
    assert publisher.why == "web is held by operator: the migration"
    assert bus.actions() == [("publish", 1), ("hold", 0)]
    lift(bus.ledger.store, "web", by="operator")

    bus.agree(2)
    assert bus.actions()[2:] == [("resume", 0), ("publish", 2)]


def test_a_change_of_something_else_goes_out(bus: Bus) -> None:
    publisher = bus.publisher(1)
    bus.worker()
    put(bus.ledger.store, "other", by="operator", reason="the migration")

    bus.edit(publisher, 2)

    bus.agree(2)
    assert bus.actions() == [("publish", 1), ("hold", 0), ("publish", 2)]


def test_a_hold_that_ends_lets_the_change_out(bus: Bus) -> None:
    publisher = bus.publisher(1)
    bus.worker()
    now_ms = bus.ledger.store.time_ms()
    put(bus.ledger.store, ALL, by="operator", reason="lunch", until_ms=now_ms + 700)
    bus.edit(publisher, 2)
    eventually(lambda: publisher.state == "held")

    bus.agree(2)

    eventually(lambda: bus.ledger.store.holds().texts == {})
    assert sorted(bus.actions()) == sorted([("publish", 1), ("hold", 0), ("hold ended", 0), ("publish", 2)])


def test_a_rollback_goes_through_a_hold(bus: Bus) -> None:
    publisher = bus.publisher(1)
    bus.worker()
    bus.edit(publisher, 2)
    bus.agree(2)
    put(bus.ledger.store, ALL, by="operator", reason="the migration")

    bus.rollback(to=1)

    bus.agree(1)
    assert bus.actions()[-2:] == [("hold", 0), ("rollback", 3)]
    assert list(bus.ledger.store.holds().texts) == [ALL]


def test_holds_that_cannot_be_read_stay_and_that_is_told_once(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    merge, key = encoded(document(1)).manifest, bus.keys.holds
    put(bus.ledger.store, "web", by="operator", reason="the migration")
    holding = Holding(bus.ledger, None)
    holding.look()
    bus.client.set(f"{key}:draft", "something else")
    bus.client.rename(f"{key}:draft", key)

    holding.look()
    holding.look()

    assert [hold.section for hold in holding.keep_back(merge, None)] == ["web"]
    assert list(holding.problems) == ["holds"]
    told = [record.getMessage() for record in caplog.records if record.name == "confbus.publisher"]
    assert len(told) == 1
    assert told[0].startswith("the holds cannot be read, those known stay: ")
    bus.client.delete(key)
    holding.look()
    assert holding.problems == {}


def test_a_loss_of_data_lifts_no_hold(own_bus: Bus, own_server: Server) -> None:
    publisher = own_bus.publisher(1)
    own_bus.worker()
    put(own_bus.ledger.store, "web", by="operator", reason="the migration")
    publisher.write(document(2))
    eventually(lambda: publisher.state == "held")
    eventually(lambda: remembered(own_bus) == {"web"})

    own_server.client().flushall()

    own_bus.agree(1)
    eventually(lambda: list(own_bus.ledger.store.holds().texts) == ["web"])
    eventually(lambda: publisher.state == "held")


def remembered(bus: Bus) -> set[str]:
    """What the publisher's memory on disk holds."""
    state, _ = bus.memory_file().recall()
    return set(state.holds or ()) if state else set()
