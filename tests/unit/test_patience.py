"""Whom a publisher that just began waits for before it writes over a loss, and for how long at most."""

from __future__ import annotations

import pytest

from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.patience import Patience

RETURNING = "instances get the time to find it"
LISTENING = "instances listen but have not reported"


class Place(MemoryStore):
    """A place of some age, with so many listeners."""

    def __init__(self, *, age_s: float = float("inf"), listening: int = 0) -> None:
        super().__init__()
        self.age = age_s
        self.listening = listening

    def age_s(self) -> float:
        return self.age

    def listeners(self) -> int:
        return self.listening


@pytest.fixture
def patience() -> Patience:
    return Patience(report_s=5.0, return_s=10.0)


def test_where_nobody_listens_and_nobody_can_be_missing_it_waits_for_nobody(patience: Patience) -> None:
    assert patience.waits_for(Place(), 0, now_s=100) == ""


@pytest.mark.parametrize(("now_s", "awaited"), [(100, RETURNING), (106.9, RETURNING), (107, ""), (200, "")])
def test_a_server_that_began_a_moment_ago_is_given_its_time(patience: Patience, now_s: float, awaited: str) -> None:
    patience.waits_for(Place(age_s=3), 0, now_s=100)

    assert awaited in patience.waits_for(Place(age_s=3), 0, now_s=now_s)
    assert bool(patience.waits_for(Place(age_s=3), 0, now_s=now_s)) is bool(awaited)


@pytest.mark.parametrize(("now_s", "awaited"), [(100, LISTENING), (104.9, LISTENING), (105, "")])
def test_who_listens_is_given_the_time_to_report(patience: Patience, now_s: float, awaited: str) -> None:
    patience.waits_for(Place(listening=3), 2, now_s=100)

    assert awaited in patience.waits_for(Place(listening=3), 2, now_s=now_s)
    assert bool(patience.waits_for(Place(listening=3), 2, now_s=now_s)) is bool(awaited)


def test_once_all_have_reported_it_waits_no_longer(patience: Patience) -> None:
    place = Place(listening=3)
    assert patience.waits_for(place, 2, now_s=100)

    assert patience.waits_for(place, 3, now_s=101) == ""
