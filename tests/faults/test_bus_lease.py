"""A publisher is stopped, and goes on when its lease is another one's: it finds that out, and undoes nothing."""

from __future__ import annotations

import os
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from confbus.client import make_client
from confbus.errors import LeaseHeld
from confbus_publisher import opening
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.oneshot import publish_once
from support.bus import OPERATOR, Edits, MortalStore, digest_of, document

if TYPE_CHECKING:
    from confbus_publisher.publisher import Publisher
    from support.bus import Bus


def stopped_at(publisher: Publisher, step: int, bus: Bus, heir: Publisher) -> None:
    """Let `publisher` stop before its call number `step`, until its lease has run out and `heir` has had a turn."""
    store = publisher.ledger.store
    assert isinstance(store, MortalStore)

    def meanwhile() -> None:
        bus.client.delete(bus.keys.lease)
        heir.turn()

    store.stop_before(step, meanwhile)


def two_at_rest(bus: Bus, number: int) -> list[tuple[Publisher, Edits]]:
    """An active publisher and one that stands by, of one mind; every turn that they take is the test's."""
    both = [bus.resting_publisher(number, name=name) for name in ("ann", "bob")]
    for publisher, _ in both:
        publisher.turn()
    assert [publisher.standing.state for publisher, _ in both] == ["in step", "standby"]
    return both


def test_a_publisher_that_is_stopped_at_any_step_replaces_nothing_that_its_heir_published(bus: Bus) -> None:
    bus.publish(1)
    bus.worker()
    stops = 0
    for step in count():
        # given
        bus.client.delete(bus.keys.lease)
        (active, edits), (heir, heirs_edits) = two_at_rest(bus, 1 + 2 * step)
        mine, heirs = 2 + 2 * step, 3 + 2 * step
        bus.story += [mine, heirs]
        edits.write(document(mine))
        heirs_edits.write(document(heirs))
        stopped_at(active, step, bus, heir)

        # when
        active.turn()
        was_stopped = heir.standing.is_active
        active.turn()

        # then
        head = bus.ledger.refresh()
        assert head
        for publisher in (active, heir):
            publisher.ledger.store.close()
        if not was_stopped:
            break
        assert head.release.digest == digest_of(heirs)
        assert active.standing.state == "standby"
        bus.agree(heirs)
        stops += 1
    assert stops > 5


def test_a_machine_with_an_odd_name_publishes_and_reads(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename="w\udcffb 1\n\x1b[31m" * 20))
    identity = opening.identity()
    client = make_client(bus.url, name=f"confbus:{identity}", namespace=bus.namespace)
    store = RedisStore(client, bus.keys, where=bus.url)

    assert store.take_lease(identity, 60_000) == identity
    assert store.lease() == identity
    bus.publish(1)
    bus.worker()

    bus.agree(1)
    store.close()


def test_a_lease_that_a_stranger_wrote_is_told_of_in_one_line(bus: Bus) -> None:
    bus.client.set(bus.keys.lease, "\x1b[2J\n\udcff".encode("utf-8", "surrogateescape") * 100_000, px=60_000)

    publisher = bus.publisher(1)

    assert publisher.state == "standby"
    assert publisher.why.isprintable()
    assert len(publisher.why) < 300
    with pytest.raises(LeaseHeld) as refused:
        publish_once(bus.ledger, Inputs([Edits(document(1))], limit_bytes=10_000).load(), OPERATOR)
    assert refused.value.holder.isprintable()
    assert bus.actions() == []
