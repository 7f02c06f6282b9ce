"""How long a publisher looks at a loss before it mends it."""

from __future__ import annotations

import pytest

from confbus.wire import head as heads
from confbus_publisher.fleet import Report
from confbus_publisher.patience import Patience

HEAD = heads.first(version=1, digest="a", merged="")


def report(instance: str, at_ms: int) -> Report:
    return Report(instance, "lost", None, None, "", at_ms, 30)


@pytest.fixture
def patience() -> Patience:
    """It knows that two instances live, and saw a loss at second 100 (server: 1,000 ms)."""
    patience = Patience(7.5)
    patience.rest([report("web:1", 500), report("web:2", 500)])
    assert patience.is_early(None, [report("web:1", 500), report("web:2", 500)], now_s=100, now_ms=1000)
    return patience


def test_a_loss_may_be_mended_as_soon_as_everybody_who_lived_has_reported_since(patience: Patience) -> None:
    one = [report("web:1", 1001), report("web:2", 999)]
    both = [report("web:1", 1001), report("web:2", 1002), report("web:3", 0)]

    assert patience.is_early(None, one, now_s=101, now_ms=2000)
    assert not patience.is_early(None, both, now_s=102, now_ms=3000)


def test_instances_that_stay_silent_are_not_waited_for_forever(patience: Patience) -> None:
    assert patience.is_early(None, [], now_s=107.4, now_ms=8400)
    assert not patience.is_early(None, [], now_s=107.5, now_ms=8500)


def test_another_head_is_another_loss(patience: Patience) -> None:
    both = [report("web:1", 1001), report("web:2", 1002)]

    assert patience.is_early(HEAD, both, now_s=107, now_ms=8000)
    assert patience.is_early(HEAD, both, now_s=114, now_ms=15000)


def test_a_publisher_that_just_began_waits_even_if_nobody_is_known() -> None:
    patience = Patience(7.5)

    assert patience.is_early(None, [], now_s=0, now_ms=0)
    assert not patience.is_early(None, [], now_s=7.5, now_ms=7500)


def test_a_publisher_that_knows_of_no_instance_does_not_wait() -> None:
    patience = Patience(7.5)
    patience.rest([])

    assert not patience.is_early(None, [], now_s=0, now_ms=0)


def test_after_a_loss_was_left_to_a_person_the_next_one_gets_the_whole_time(patience: Patience) -> None:
    patience.end()

    assert not patience.is_waiting
    assert patience.is_early(None, [report("web:1", 5000), report("web:2", 5000)], now_s=200, now_ms=101_000)
    assert patience.is_waiting
