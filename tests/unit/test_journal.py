"""What the log tells at debug: why a turn was taken, what was new in it, and how long each stage took."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from confbus_publisher.journal import STAGES, Journal
from confbus_publisher.sources import DictSource
from confbus_publisher.wakes import Wakes
from support.clock import Clock
from support.vital import VitalPublisher

if TYPE_CHECKING:
    from collections.abc import Callable

    Turns = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Turns:
    """The fields of each turn that was told since the last time."""
    caplog.set_level(logging.DEBUG)

    def turns() -> list[dict[str, Any]]:
        found = [vars(record) for record in caplog.records if record.getMessage().startswith("turn: ")]
        caplog.clear()
        return found

    return turns


def test_a_reload_tells_what_woke_it_what_is_new_and_all_of_its_stages(told: Turns) -> None:
    site = VitalPublisher(Clock())

    site.publisher.turn()

    (turn,) = told()
    assert turn["woken_by"] == ["the start"]
    assert turn["news"] == ["dict", "overrides"]
    assert tuple(turn["stages_ms"]) == STAGES
    assert "publish" in turn["message"]


def test_a_turn_that_time_alone_woke_and_that_brought_nothing_is_not_told(told: Turns) -> None:
    site = VitalPublisher(Clock())
    site.publisher.turn()
    told()

    site.publisher.inputs.journal.tell(())

    assert told() == []


def test_a_source_that_says_something_else_is_named_and_so_is_one_that_went(told: Turns) -> None:
    site = VitalPublisher(Clock())
    inputs = site.publisher.inputs
    inputs.load()
    inputs.journal.tell(())
    told()

    inputs.sources = [*inputs.sources, DictSource({"more": 1}, name="more")]
    inputs.load()
    inputs.journal.tell(["files", "the head", "files"])
    inputs.sources = inputs.sources[:1]
    inputs.load()
    inputs.journal.tell(())

    more, less = told()
    assert (more["woken_by"], more["news"]) == (["files", "the head"], ["more"])
    assert (less["woken_by"], less["news"]) == ([], ["more is gone"])
    assert "check" not in more["stages_ms"]


def test_a_stage_that_fails_was_taken_all_the_same(told: Turns) -> None:
    times = iter([1.0, 1.25])
    journal = Journal(clock=lambda: next(times))

    with pytest.raises(ValueError, match="no"), journal.stage("read"):
        raise ValueError("no")
    journal.tell(["files"])

    assert told()[0]["stages_ms"] == {"read": 250.0}


def test_who_takes_the_turns_of_a_publisher_is_told_of_its_start_once(told: Turns) -> None:
    site = VitalPublisher(Clock())

    for _ in range(3):
        site.publisher.turn()

    assert [turn["woken_by"] for turn in told()] == [["the start"]]


def test_whoever_sleeps_hears_everything_that_woke_it() -> None:
    wakes = Wakes()
    wakes.wake("files")
    wakes.wake("the head")

    assert wakes.sleep(30.0) == ("files", "the head")
    assert wakes.sleep(0.001) == ()
