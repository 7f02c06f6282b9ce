"""A publisher whose values are partly on another machine."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

import confbus
from support.eventually import eventually
from support.http_server import WebServer, hangs, says

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.shop import Shop

TIMING = confbus.Timing(poll_s=0.2, report_s=0.5, max_backoff_s=0.5)


@pytest.fixture
def remote() -> Iterator[WebServer]:
    with WebServer(says('{"far": 1}')) as server:
        yield server


def settle(shop: Shop, remote: WebServer) -> None:
    """The file of the shop, and above it what the other machine says."""
    shop.settle()
    settings = shop.directory / "confbus.yaml"
    source = f"{{http: {remote.url()}, priority: 5, interval: 200ms, timeout: 1s}}"
    settings.write_text(settings.read_text().replace("sources: [", f"sources: [{source}, "))


def test_a_change_on_the_other_machine_reaches_the_fleet_and_its_hanging_delays_nobody(
    shop: Shop, remote: WebServer
) -> None:
    settle(shop, remote)

    with shop.start("run") as daemon:
        daemon.says("in step")
        assert shop.url
        with confbus.connect(shop.url, namespace=shop.namespace, timing=TIMING) as worker:
            remote.behave = says('{"far": 2}')
            eventually(lambda: worker["far"] == 2, describe=worker.status)
            remote.behave = hangs()
            daemon.says(f"source {remote.url()} keeps its last good values", "no whole answer within 1 s")
            shop.write("number: 2\n")
            eventually(lambda: worker["number"] == 2, describe=worker.status)
            far_meanwhile = worker["far"]

    assert far_meanwhile == 2


def test_a_restart_with_the_other_machine_away_goes_on_as_before(shop: Shop, remote: WebServer) -> None:
    settle(shop, remote)
    with shop.start("run") as daemon:
        daemon.says("in step")
        daemon.end(signal.SIGTERM)

    remote.behave = says(status=404)
    plan = shop.confbus("plan")
    with shop.start("run") as daemon:
        daemon.says("keeps its last good values", "it answers 404", "What it said at")
        daemon.says("in step")
        shop.write("number: 3\n")
        eventually(lambda: shop.confbus("get", "number").out.strip() == "3")

    assert plan.code == 0
    assert "keeps its last good values" in plan.err
    assert shop.confbus("get", "far").out.strip() == "1"


def test_a_check_names_a_server_that_does_not_answer(shop: Shop, remote: WebServer) -> None:
    settle(shop, remote)
    remote.behave = says(status=404)

    check = shop.confbus("check")

    assert check.code == 3
    assert f"{remote.url()}: it answers 404" in check.out
