"""Clocks that are wrong: whoever publishes by one, and what was published by one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from confbus_publisher.ledger import Ledger
from support.bus import OPERATOR, document
from support.places import encoded

if TYPE_CHECKING:
    from support.bus import Bus

YEAR_S = 365 * 86_400
NOW_S = time.time


@pytest.fixture(params=[YEAR_S, -YEAR_S], ids=["a year ahead", "a year behind"])
def wrong(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """By how many seconds the clock of this machine is wrong; that of the server is right."""
    off_s: int = request.param
    monkeypatch.setattr(time, "time", lambda: NOW_S() + off_s)
    return off_s


def test_a_release_is_of_the_time_of_the_server(bus: Bus, wrong: int) -> None:
    publisher = bus.publisher(1)
    worker = bus.worker()
    bus.edit(publisher, 2)
    bus.agree(2)
    bus.rollback(to=1)
    bus.agree(1)

    ages_s = [abs(release.at_ms / 1000 - NOW_S()) for release in bus.ledger.history()]
    published_at = worker.config.snapshot.published_at
    state = bus.ledger.state

    assert len(ages_s) == 3
    assert max(ages_s) < abs(wrong) / 2
    assert published_at is not None
    assert abs(published_at.timestamp() - NOW_S()) < abs(wrong) / 2
    assert state
    assert all(time.strftime("at %Y-", time.gmtime(NOW_S())) in why for why in state.quarantine.values())


@pytest.mark.usefixtures("wrong")
def test_a_wrong_clock_drops_nothing_that_a_worker_may_be_about_to_fetch(bus: Bus) -> None:
    for number in range(1, 20):
        bus.publish(number)

    late = Ledger(bus.ledger.store, history=16)
    late.refresh()
    late.publish(encoded(document(20)), OPERATOR)

    assert [release.version for release in late.history()] == list(range(20, 0, -1))
