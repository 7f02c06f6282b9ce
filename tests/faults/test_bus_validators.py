"""A worker that refuses a release: it keeps what it runs, says why, and takes the next good one."""

from __future__ import annotations

import json
from asyncio import CancelledError
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.errors import ConnectFailed
from support.bus import TIMING
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus import Snapshot
    from support.bus import Bus, Worker


class Refusing:
    """A validator that refuses some numbers; `raised` is what it raises."""

    def __init__(self, *numbers: int, raised: BaseException | None = None) -> None:
        self.numbers = set(numbers)
        self.raised = raised or ValueError("the pool is too small")
        self.asked: list[int] = []

    def __call__(self, snapshot: Snapshot) -> None:
        self.asked.append(snapshot["number"])
        if snapshot["number"] in self.numbers:
            raise self.raised


def report(bus: Bus, worker: Worker) -> Any:
    return json.loads(bus.ledger.store.fleet()[worker.config.instance])


def test_a_veto_keeps_the_old_and_is_reported_with_its_reason(bus: Bus) -> None:
    publisher = bus.publisher(1)
    refusing = bus.worker(validators=[Refusing(2)])
    willing = bus.worker()
    bus.agree(1)

    bus.edit(publisher, 2)
    eventually(lambda: (willing.number, refusing.state) == (2, "vetoing"))
    eventually(lambda: report(bus, refusing)["state"] == "vetoing")

    assert refusing.number == 1
    assert report(bus, refusing)["error"] == "Refusing: the pool is too small"
    assert (report(bus, refusing)["seen"]["version"], report(bus, refusing)["running"]["version"]) == (2, 1)
    bus.assert_sane()


def test_the_next_good_release_is_taken(bus: Bus) -> None:
    publisher = bus.publisher(1)
    refusing = bus.worker(validators=[Refusing(2)])
    bus.edit(publisher, 2)
    eventually(lambda: refusing.state == "vetoing")

    bus.edit(publisher, 3)

    bus.agree(3)
    assert refusing.config.status().error == ""
    assert [snapshot["number"] for snapshot in refusing.saw] == [1, 3]


def test_a_rollback_ends_the_veto(bus: Bus) -> None:
    publisher = bus.publisher(1)
    refusing = bus.worker(validators=[Refusing(2)])
    bus.edit(publisher, 2)
    eventually(lambda: refusing.state == "vetoing")

    bus.rollback(to=1)

    bus.agree(1)


def test_what_was_refused_is_not_asked_about_again(bus: Bus) -> None:
    refuses = Refusing(2)
    bus.publish(1)
    worker = bus.worker(validators=[refuses])
    bus.publish(2)
    eventually(lambda: worker.state == "vetoing")

    bus.client.client_kill_filter(_type="pubsub")
    eventually(lambda: worker.config.status().counts.reconnects and worker.state == "vetoing")

    assert refuses.asked == [1, 2]


@pytest.mark.parametrize(
    "raised",
    [KeyError("db"), AssertionError(), SystemExit(1), CancelledError(), RecursionError(), KeyboardInterrupt()],
    ids=lambda raised: type(raised).__name__,
)
def test_whatever_a_validator_raises_is_a_veto(bus: Bus, raised: BaseException) -> None:
    bus.publish(1)
    worker = bus.worker(validators=[Refusing(2, raised=raised)])

    bus.publish(2)
    eventually(lambda: worker.state == "vetoing")
    assert worker.number == 1
    assert "Refusing" in worker.config.status().error

    bus.publish(3)
    bus.agree(3)


def test_the_first_veto_decides_and_a_later_validator_is_not_asked(bus: Bus) -> None:
    later = Refusing()
    bus.publish(1)
    worker = bus.worker(validators=[Refusing(2), later])

    bus.publish(2)
    eventually(lambda: worker.state == "vetoing")

    assert later.asked == [1]


def refusal(bus: Bus, validator: Callable[[Snapshot], object]) -> str:
    """Why a worker that starts with `validator` has nothing to read."""
    with confbus.Subscriber(bus.url, namespace=bus.namespace, timing=TIMING, validators=[validator]) as config:
        config.follow()
        eventually(lambda: config.status().state == "vetoing")
        with pytest.raises(ConnectFailed) as caught:
            config["number"]
    return caught.value.reason


def test_of_a_first_release_that_is_refused_the_start_tells_the_reason(bus: Bus) -> None:
    bus.publish(1)

    assert refusal(bus, Refusing(1)) == "Refusing: the pool is too small"


def test_a_validator_cannot_change_what_it_is_shown(bus: Bus) -> None:
    def meddle(snapshot: Any) -> None:
        snapshot["web"]["number"] = 7

    bus.publish(1)

    assert "meddle" in refusal(bus, meddle)


@pytest.mark.parametrize("raised", [ValueError(), SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_an_observer_that_raises_changes_nothing(bus: Bus, raised: BaseException) -> None:
    def observe(status: confbus.Status) -> None:
        raise raised

    bus.publish(1)
    with confbus.connect(bus.url, namespace=bus.namespace, timing=TIMING, observer=observe) as config:
        bus.publish(2)

        eventually(lambda: config["number"] == 2 and config.status().state == "live")


def test_a_view_that_raises_what_ctrl_c_does_is_a_veto(bus: Bus) -> None:
    def build(number: int) -> int:
        if number == 2:
            raise KeyboardInterrupt
        return number

    bus.publish(1)
    with confbus.connect(bus.url, namespace=bus.namespace, timing=TIMING, views={"number": build}) as config:
        bus.publish(2)
        eventually(lambda: config.status().state == "vetoing")
        bus.publish(3)

        eventually(lambda: config["number"] == 3)
