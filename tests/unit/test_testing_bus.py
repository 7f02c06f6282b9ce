"""The bus in memory: what is published is read when the call returns, and every fault ends in agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import confbus
from confbus.errors import InvalidDocument, NoRelease, UnknownPath, WaitTimeout
from confbus.testing import Bus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus import Snapshot


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus({"web": {"host": "a", "port": 80}}) as bus:
        yield bus


def test_what_is_published_is_read_by_all_when_the_call_returns(bus: Bus) -> None:
    ann, bob = bus.connect(), bus.connect()

    for port in range(100):
        bus.publish({"web": {"port": port}})
        assert ann["web.port"] == bob["web.port"] == port

    assert ann.snapshot.version == 101
    assert ann.status().counts.fetches == 1  # all others came with their notices


def test_a_large_document_is_fetched_before_the_call_returns(bus: Bus) -> None:
    config = bus.connect()

    bus.publish({"web": {str(number): "x" * 100 for number in range(1000)}})

    assert config["web.999"] == "x" * 100


def test_one_value_is_set_and_unset_and_the_rest_stays(bus: Bus) -> None:
    config = bus.connect()

    bus.set("web.port", 81)
    bus.set("cache.ttl", 5)
    bus.unset("web.host")

    assert config.snapshot == bus.document == {"web": {"port": 81}, "cache": {"ttl": 5}}
    with pytest.raises(UnknownPath):
        bus.unset("web.host")


def test_a_rollback_goes_to_the_content_before_and_a_second_one_further_back(bus: Bus) -> None:
    config = bus.connect()
    bus.set("web.port", 81)
    bus.set("web.port", 82)

    assert (bus.rollback(), config["web.port"]) == (4, 81)
    assert (bus.rollback(), config["web.port"]) == (5, 80)
    assert (bus.rollback(to=3), config["web.port"]) == (6, 82)
    with pytest.raises(NoRelease):
        bus.rollback(to=99)


def test_a_program_that_connects_by_itself_is_waited_for_too(bus: Bus) -> None:
    with confbus.connect(bus.url, namespace="test", is_reporting=False) as config:
        bus.set("web.port", 81)

        assert config["web.port"] == 81


def test_what_cannot_be_configuration_is_not_published(bus: Bus) -> None:
    config = bus.connect()

    with pytest.raises(InvalidDocument):
        bus.publish({"web": object()})

    assert config["web.port"] == 80
    bus.set("web.port", 81)
    assert config["web.port"] == 81


def test_a_refused_release_is_told_and_what_ran_stays(bus: Bus) -> None:
    def port_is_open(snapshot: Snapshot) -> None:
        if snapshot["web.port"] > 1000:
            raise ValueError("the port is closed")

    config = bus.connect(validators=[port_is_open])

    bus.set("web.port", 8080)

    assert config["web.port"] == 80
    assert "the port is closed" in bus.vetoes()[config.instance]
    bus.set("web.port", 81)
    assert (config["web.port"], bus.vetoes()) == (81, {})


def test_lost_notices_are_healed_by_a_poll(bus: Bus) -> None:
    config = bus.connect()
    bus.drop_notices(1)

    bus.set("web.port", 81)

    assert config["web.port"] == 81
    bus.set("web.port", 82)
    assert config["web.port"] == 82


@pytest.mark.slow
def test_when_a_share_of_the_notices_is_lost_everything_is_read_all_the_same(bus: Bus) -> None:
    config = bus.connect()
    bus.drop_notices(share=0.5, seed=3)

    for port in range(6):
        bus.set("web.port", port)
        assert config["web.port"] == port

    bus.flow()


def test_severed_connections_are_made_anew(bus: Bus) -> None:
    config = bus.connect()

    bus.sever()
    bus.set("web.port", 81)

    assert config["web.port"] == 81
    bus.wait_until(lambda: config.status().state == "live")
    assert config.status().counts.reconnects >= 1


def test_while_the_server_refuses_connections_what_ran_stays(bus: Bus) -> None:
    config = bus.connect()

    bus.refuse()
    bus.set("web.port", 81, wait=False)

    bus.wait_until(lambda: config.status().state == "reconnecting")
    assert config["web.port"] == 80
    bus.flow()
    bus.settle()
    assert config["web.port"] == 81


def test_what_a_stalled_server_held_back_is_read_once_it_flows(bus: Bus) -> None:
    config = bus.connect()

    bus.stall()
    bus.set("web.port", 81, wait=False)

    with pytest.raises(WaitTimeout, match="What was published"):
        bus.settle(timeout_s=0.05)
    assert config["web.port"] == 80
    bus.flow()
    bus.settle()
    assert config["web.port"] == 81


@pytest.mark.parametrize(("back_to", "state"), [(None, "lost"), (1, "regressed")])
def test_a_loss_of_data_takes_nothing_from_readers_and_is_repaired(bus: Bus, back_to: int | None, state: str) -> None:
    config = bus.connect()
    bus.set("web.port", 81)

    bus.lose_data(back_to=back_to)

    assert (config["web.port"], config.status().state) == (81, state)
    bus.repair()
    assert (config["web.port"], config.status().state) == (81, "live")
    bus.set("web.port", 82)
    assert config["web.port"] == 82


def test_what_is_published_after_a_loss_is_followed(bus: Bus) -> None:
    config = bus.connect()
    bus.lose_data()

    bus.set("web.port", 81)

    assert config["web.port"] == 81


def test_two_namespaces_of_one_server_do_not_mix(bus: Bus) -> None:
    with Bus({"web": {"port": 1}}, namespace="other", url=bus.url) as other:
        mine, theirs = bus.connect(), other.connect()

        other.set("web.port", 2)

        assert (mine["web.port"], theirs["web.port"]) == (80, 2)
