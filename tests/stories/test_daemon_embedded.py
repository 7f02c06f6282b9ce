"""`confbus run` without a Redis: one server for one machine, whoever of several owns it."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

import confbus
from confbus_publisher.attachment import running_url
from support.eventually import eventually
from support.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path

TIMING = confbus.Timing(poll_s=0.2, report_s=0.5, max_backoff_s=0.3)


@pytest.fixture
def shop(tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that names no server."""
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path, namespace)


def connect(shop: Shop) -> confbus.Subscriber:
    url = running_url(shop.directory / ".confbus")
    assert url
    return confbus.connect(url, namespace=shop.namespace, timing=TIMING)


def kill_server(shop: Shop) -> None:
    announced = json.loads((shop.directory / ".confbus" / "server.json").read_text())
    os.kill(announced["pid"], signal.SIGKILL)


def number(shop: Shop) -> str:
    return shop.confbus("get", "number").out.strip()


def test_it_starts_a_server_and_tells_where_and_that_it_is_for_one_machine(shop: Shop) -> None:
    with shop.start("run") as daemon:
        line = daemon.says("started the embedded server at unix:", "for one machine")
        daemon.says("in step")

        assert number(shop) == "1"
        assert shop.confbus("status", "--output", "json").data["url"] in line
        assert daemon.end(signal.SIGTERM) == 0

    assert running_url(shop.directory / ".confbus") is None


def test_the_configuration_outlives_the_server(shop: Shop) -> None:
    with shop.start("run") as first:
        first.says("in step")
        first.end(signal.SIGTERM)

    with shop.start("run") as second:
        second.says("in step")
        releases = shop.confbus("history", "--output", "json").data["releases"]

    assert [each["version"] for each in releases] == [1]


@pytest.mark.parametrize("death", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_second_one_attaches_and_takes_over_when_the_first_is_gone(shop: Shop, death: signal.Signals) -> None:
    with shop.start("run") as first:
        first.says("in step")
        with shop.start("run") as second, connect(shop) as worker:
            second.says("found the embedded server")
            second.says("standby")
            first.end(death)

            second.says("started the embedded server")
            shop.write("number: 2\n")
            eventually(lambda: worker["number"] == 2, describe=lambda: (worker.status(), second.err))
            assert second.end(signal.SIGTERM) == 0

    assert "Traceback" not in second.err


@pytest.mark.slow
def test_a_server_that_is_killed_is_started_again(shop: Shop) -> None:
    with shop.start("run") as daemon:
        daemon.says("in step")
        with connect(shop) as worker:
            kill_server(shop)

            daemon.says("started the embedded server", times=2)
            shop.write("number: 2\n")
            eventually(lambda: worker["number"] == 2, describe=lambda: (worker.status(), daemon.err))


@pytest.mark.slow
def test_where_the_path_is_too_long_for_a_socket_it_works_all_the_same(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = shop.directory / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    far = Shop(deep, shop.namespace)

    with far.start("run") as first:
        first.says("in step")
        with far.start("run") as second:
            second.says("standby")
            first.end(signal.SIGKILL)
            second.says("started the embedded server")
            far.write("number: 2\n")
            eventually(lambda: number(far) == "2", describe=lambda: second.err)
