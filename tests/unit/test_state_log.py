"""What an application finds in its log of how its subscriber stands."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from confbus.testing import Bus
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Told = Callable[[], list[tuple[str, str, int | None]]]


@pytest.fixture
def bus() -> Generator[Bus]:
    with Bus({"number": 1}) as bus:
        yield bus


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    """Level, state and version of each line so far."""
    caplog.set_level(logging.INFO, "confbus")

    def lines() -> list[tuple[str, str, int | None]]:
        facts: list[dict[str, Any]] = [vars(record) for record in caplog.records]
        return [(each["levelname"], each["state"], each["version"]) for each in facts if "state" in each]

    return lines


def test_each_change_of_state_or_version_is_one_line(bus: Bus, told: Told) -> None:
    bus.connect()
    eventually(lambda: told()[-1:] == [("INFO", "live", 1)], describe=told)
    bus.set("number", 2)
    eventually(lambda: told()[-1:] == [("INFO", "live", 2)], describe=told)
    bus.refuse()
    eventually(lambda: told()[-1:] == [("INFO", "reconnecting", 2)], describe=told)
    bus.flow()
    eventually(lambda: told()[-1:] == [("INFO", "live", 2)], describe=told)

    lines = told()

    assert all(line != after for line, after in pairwise(lines))


def test_a_release_that_is_refused_is_a_warning_with_the_reason(
    bus: Bus, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    def odd(snapshot: Any) -> None:
        if snapshot["number"] % 2 == 0:
            raise ValueError("the number must be odd")

    bus.connect(validators=[odd])

    bus.set("number", 2)

    eventually(lambda: told()[-1:] == [("WARNING", "vetoing", 1)], describe=told)
    assert "version 1 (vetoing: " in caplog.records[-1].getMessage()
    assert "the number must be odd" in caplog.records[-1].getMessage()


def test_a_handler_that_raises_harms_nobody(bus: Bus) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError(record)

    broken, log = Broken(), logging.getLogger("confbus")
    log.addHandler(broken)
    level = log.level
    log.setLevel(logging.INFO)
    try:
        config = bus.connect()
        bus.set("number", 2)
    finally:
        log.removeHandler(broken)
        log.setLevel(level)

    assert config["number"] == 2
    assert config.status().counts.reconnects == 0
