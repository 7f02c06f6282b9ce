"""Sources that make no document stop publishing, and nothing else that a publisher is there for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from support.bus import PACE, document
from support.eventually import eventually

if TYPE_CHECKING:
    from support.bus import Bus, RunningPublisher
    from support.server import Server

NO_DOCUMENT = document(2, padding=11_000_000)
"""More than any publisher here may publish."""


LEASE = replace(PACE, lease_s=5.0)


def refused(bus: Bus) -> RunningPublisher:
    """A publisher whose sources make no document any more, and a worker."""
    publisher = bus.publisher(1, pace=LEASE)
    bus.worker()
    bus.agree(1)
    publisher.write(NO_DOCUMENT)
    eventually(lambda: publisher.state == "refused")
    return publisher


def test_what_is_no_document_is_not_published_and_told_once(bus: Bus) -> None:
    publisher = refused(bus)

    assert "the limit is 10,000,000" in publisher.why
    bus.agree(1)
    assert bus.actions() == [("publish", 1), ("refused", 0)]
    bus.edit(publisher, 3)
    bus.agree(3)


def test_a_loss_is_repaired_all_the_same(bus: Bus, server: Server) -> None:
    publisher = refused(bus)

    server.flush()

    bus.agree(1)
    assert bus.actions()[0] == ("restore", 2)
    eventually(lambda: publisher.state == "refused")


def test_what_others_do_is_remembered_all_the_same(bus: Bus, server: Server) -> None:
    publisher = refused(bus)

    bus.publish(5)
    eventually(lambda: publisher.remembers(5))
    server.flush()

    bus.agree(5)


def test_the_active_publisher_stays_the_active_one(bus: Bus) -> None:
    publisher = refused(bus)
    other = bus.publisher(1, name="bob", pace=LEASE)
    bus.edit(other, 7)

    for _ in range(3):  # the lease grows older, and is renewed
        eventually(lambda: bus.client.pttl(bus.keys.lease) < 4900)
        eventually(lambda: bus.client.pttl(bus.keys.lease) > 4900)

    assert bus.ledger.store.lease() == publisher.publisher.identity
    assert other.state == "standby"
    bus.agree(1)
