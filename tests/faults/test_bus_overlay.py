"""An overlay over what a bus brings: visible wherever somebody asks, and a veto where it does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import confbus
from confbus import env
from confbus.errors import ConfigRefused
from confbus_publisher import fleet
from confbus_publisher.cli.program import program
from support.bus import OPERATOR, TIMING, document
from support.eventually import eventually
from support.places import encoded

if TYPE_CHECKING:
    from confbus import Subscriber
    from support.bus import Bus


def connect(bus: Bus) -> Subscriber:
    overlay = env("APP_", environ={"APP_DB__HOST": "localhost"}) | {"web.number": 99}
    return confbus.connect(bus.url, namespace=bus.namespace, timing=TIMING, overlay=overlay)


def test_an_overlay_is_told_to_its_process_to_the_fleet_and_to_whoever_asks_for_the_origin(bus: Bus) -> None:
    bus.publish(1)
    with connect(bus) as config:
        bus.publish(2)
        eventually(lambda: config["number"] == 2)
        eventually(bus.ledger.store.fleet)
        [report] = fleet.parse_all(bus.ledger.store.fleet())

        assert (config["db.host"], config["db.number"], config["web.number"]) == ("localhost", 2, 99)
        assert config.status().overlay == config.snapshot.overlaid == report.overlay == ("db.host", "web.number")
        assert config.explain("db").overlaid == ("db.host",)
        assert "the overlay of this instance, at web.number" in str(config.explain("web.number"))
        assert config.explain("fixed.port").overlaid == ()
        assert config.snapshot.digest == encoded(document(2)).manifest.digest


def test_the_command_for_the_fleet_marks_who_has_an_overlay(bus: Bus) -> None:
    bus.publish(1)
    with connect(bus):
        eventually(bus.ledger.store.fleet)

        said = CliRunner().invoke(program, ["fleet", "--url", bus.url, "-n", bus.namespace])

    assert "overlays db.host, web.number" in said.output
    assert "localhost" not in said.output


def test_a_release_under_which_it_cannot_be_is_refused_and_the_next_one_taken(bus: Bus) -> None:
    bus.publish(1)
    with connect(bus) as config:
        bus.ledger.publish(encoded({**document(2), "db": "by name"}), OPERATOR)
        eventually(lambda: config.status().state == "vetoing")
        assert "$APP_DB__HOST: it sets db.host, but" in config.status().error
        assert (config["number"], config["db.host"]) == (1, "localhost")

        bus.publish(3)
        eventually(lambda: config.status().state == "live")
        assert (config["number"], config["db.host"]) == (3, "localhost")


def test_a_variable_that_has_no_place_is_told_at_the_start(bus: Bus) -> None:
    bus.publish(1)
    overlay = env("APP_", environ={"APP_DB__HOTS": "hunter2"})

    with confbus.Subscriber(bus.url, namespace=bus.namespace, timing=TIMING, overlay=overlay).follow() as config:
        eventually(lambda: config.status().state == "vetoing")
        error = config.status().error

    assert "$APP_DB__HOTS: the release has nothing at db.hots. The nearest path is db.host." in error
    assert "hunter2" not in error


def test_connect_raises_at_once_for_a_variable_that_has_no_place(bus: Bus) -> None:
    bus.publish(1)

    with pytest.raises(ConfigRefused, match=r"\$APP_DB__HOTS: the release has nothing at db\.hots") as refused:
        confbus.connect(bus.url, namespace=bus.namespace, overlay=env("APP_", environ={"APP_DB__HOTS": "hunter2"}))

    assert "hunter2" not in str(refused.value)
