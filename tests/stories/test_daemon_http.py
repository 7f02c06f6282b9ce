"""`confbus run` as container platforms, Prometheus and people with curl see it."""

from __future__ import annotations

import json
import re
import signal
import socket
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from confbus.errors import ListenFailed
from confbus_publisher.daemon import Daemon
from confbus_publisher.opening import Named
from confbus_publisher.serving.listen import parse_listen
from support.eventually import eventually
from support.service_manager import ServiceManager

if TYPE_CHECKING:
    from support.shop import Running, Shop


def address(daemon: Running) -> str:
    line = daemon.says("health and metrics at")
    found = re.search(r"http://[^\s\"]+", line)
    assert found, line
    return found[0]


def scrape(daemon: Running) -> str:
    with urlopen(f"{address(daemon)}/metrics", timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def ask(daemon: Running, path: str) -> tuple[int, Any]:
    """The status of the answer, and its JSON."""
    try:
        with urlopen(address(daemon) + path, timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_publisher_is_alive_while_its_sources_are_wrong_and_ready_once_they_are_mended(shop: Shop) -> None:
    shop.settle("http: {listen: 'localhost:1'}")
    shop.write("number: [\n")

    manager = ServiceManager(str(shop.directory / "notify"))
    with shop.start(
        "run", CONFBUS_LISTEN="127.0.0.1:0", NOTIFY_SOCKET=manager.name, CONFBUS_LOG_FORMAT="json"
    ) as daemon:
        manager.hears("STATUS=refused")
        alive, unready = ask(daemon, "/healthz"), ask(daemon, "/readyz")
        refused = scrape(daemon)
        shop.write("number: 2\n")
        eventually(lambda: ask(daemon, "/readyz")[0] == 200, describe=lambda: ask(daemon, "/readyz"))
        ready = ask(daemon, "/readyz")
        begun = manager.hears("READY=1")
        status, in_step = ask(daemon, "/status")[1], scrape(daemon)
        code = daemon.end(signal.SIGTERM)
        lines = [json.loads(line) for line in daemon.err.splitlines()]
    left = manager.heard()
    manager.close()

    assert alive[0] == 200
    assert unready[0] == 503
    assert "config/app.yaml:2:1" in unready[1]["reason"]
    assert ready[1] == {"status": "ready", "state": "in step", "is_active": True}
    assert status["head"] == shop.confbus("status", "--output", "json").data["head"]
    assert begun == ["READY=1", "STATUS=in step, version 1, active"]
    assert left == [["STOPPING=1"]]
    assert f'confbus_publisher_state{{namespace="{shop.namespace}",state="refused"}} 1.0' in refused
    assert f'confbus_publisher_state{{namespace="{shop.namespace}",state="in step"}} 1.0' in in_step
    assert f'confbus_publishes_total{{namespace="{shop.namespace}",outcome="published"}} 1.0' in in_step
    assert {line["namespace"] for line in lines} == {shop.namespace}
    assert [line["before"] for line in lines if line.get("state") == "in step"] == ["refused"]
    assert code == 0


def test_a_port_that_is_taken_ends_the_start(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(ListenFailed, match=f"{place}: cannot listen there"):
            Daemon(Named(), listen=parse_listen(place)).run()
    wrong = shop.confbus("run", "--listen", "9630")

    assert wrong.code == 64
    assert "127.0.0.1:9630" in wrong.err
