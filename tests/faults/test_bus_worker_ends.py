"""How workers begin and end when Redis is not as it should be: with a clear error, and without a wait."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

import confbus
from confbus.errors import Closed, ConnectFailed, WaitTimeout
from support.bus import TIMING
from support.eventually import eventually

if TYPE_CHECKING:
    from support.bus import Bus
    from support.server import Server

PROGRAM = """
import sys, threading
import confbus

config = confbus.connect(sys.argv[1], namespace=sys.argv[2], timing=confbus.Timing(poll_s=0.1))
config.subscribe(lambda changes: threading.Event().wait())
print(config["number"], flush=True)
{then}
"""
ENDS = {
    "at the end of the program": "sys.stdin.readline()",
    "by sys.exit": "sys.stdin.readline(); sys.exit(0)",
    "while another thread reads": """
threading.Thread(target=lambda: [config["number"] for _ in iter(int, 1)], daemon=True).start()
sys.stdin.readline()""",
    "after close": "sys.stdin.readline(); config.close()",
}


def test_a_server_that_is_not_there_is_told_with_what_to_do(own_server: Server, namespace: str) -> None:
    own_server.kill()

    with pytest.raises(ConnectFailed, match="Is the server up") as caught:
        confbus.connect(own_server.url, namespace=namespace, timeout_s=0.2, timing=TIMING)

    assert own_server.url in str(caught.value)
    assert ".." not in str(caught.value)


def test_a_namespace_where_nothing_was_published_is_told_as_that(bus: Bus) -> None:
    with confbus.Subscriber(bus.url, namespace=bus.namespace, timing=TIMING) as config:
        config.follow()
        eventually(lambda: config.status().state == "waiting")
        with pytest.raises(ConnectFailed, match="nothing is published in this namespace yet") as caught:
            config["number"]

    assert "`confbus publish`" in str(caught.value)


def test_a_server_that_hangs_is_told_as_that_and_not_waited_for(own_server: Server, namespace: str) -> None:
    own_server.pause()
    try:
        with pytest.raises(ConnectFailed, match="did not answer"):
            confbus.connect(own_server.url, namespace=namespace, timeout_s=0.2, timing=TIMING)
    finally:
        own_server.resume()


def test_a_worker_may_start_before_the_server_and_the_first_release(own_server: Server, own_bus: Bus) -> None:
    own_server.kill()
    config = confbus.Subscriber(own_bus.url, namespace=own_bus.namespace, timing=TIMING)
    with config.follow():
        with pytest.raises(ConnectFailed):
            config["number"]
        own_server.restart()
        own_bus.publish(1)

        assert config.wait_for(version=1)["number"] == 1


@pytest.mark.slow
def test_close_does_not_wait_for_a_server_that_hangs(own_bus: Bus, own_server: Server) -> None:
    own_bus.publish(1)
    workers = [own_bus.worker() for _ in range(5)]
    own_server.pause()
    try:
        closing = [threading.Thread(target=worker.config.close, daemon=True) for worker in workers]
        for thread in closing:
            thread.start()
        eventually(lambda: not any(thread.is_alive() for thread in closing), within_s=4)

        assert [worker.number for worker in workers] == [1] * 5
    finally:
        own_server.resume()


def test_closing_takes_the_instance_off_the_list_and_leaves_its_values(bus: Bus) -> None:
    bus.publish(1)
    worker = bus.worker()
    eventually(lambda: worker.config.instance in bus.ledger.store.fleet())

    worker.config.close()
    worker.config.close()

    assert bus.ledger.store.fleet() == {}
    assert worker.number == 1
    assert worker.config.status().state == "closed"
    with pytest.raises(Closed):
        worker.config.wait_for(version=2)


def test_whoever_waits_is_woken_by_close(bus: Bus) -> None:
    bus.publish(1)
    config = bus.worker().config
    raised: list[Exception] = []

    def wait() -> None:
        try:
            config.wait_for(version=2)
        except Closed as error:
            raised.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    config.close()
    waiting.join(20)

    assert len(raised) == 1


def test_whoever_waits_in_vain_is_told_what_runs(bus: Bus) -> None:
    bus.publish(1)

    with pytest.raises(WaitTimeout, match=r"Version 2 did not come within 0.05 s; running version 1 \(live\)"):
        bus.worker().config.wait_for(version=2, timeout=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("then", ENDS.values(), ids=ENDS)
def test_a_process_ends_at_once_and_without_a_word(bus: Bus, then: str) -> None:
    bus.publish(1)
    process = start(bus, then)
    bus.publish(2)

    _, errors = process.communicate("\n", timeout=30)

    assert (process.returncode, errors) == (0, "")


@pytest.mark.slow
def test_a_process_ends_at_once_while_the_server_hangs(own_bus: Bus, own_server: Server) -> None:
    own_bus.publish(1)
    process = start(own_bus, ENDS["after close"])
    own_server.pause()
    try:
        _, errors = process.communicate("\n", timeout=4.8)  # whoever waits for the server waits 5 s
    finally:
        own_server.resume()
        process.kill()

    assert (process.returncode, errors) == (0, "")


@pytest.mark.slow
def test_a_killed_process_is_off_the_list_soon(bus: Bus) -> None:
    publisher = bus.publisher(1)
    process = start(bus, "sys.stdin.readline()")
    eventually(lambda: len(bus.ledger.store.fleet()) == 2)

    process.send_signal(signal.SIGKILL)
    process.communicate()
    # Three of its report intervals are long; a report from long ago is as good.
    bus.client.hset(bus.keys.fleet, next(name for name in bus.ledger.store.fleet() if "ann" not in name), aged(bus))

    eventually(lambda: list(bus.ledger.store.fleet()) == [publisher.publisher.identity])


def aged(bus: Bus) -> bytes:
    (report,) = [json.loads(raw) for name, raw in bus.ledger.store.fleet().items() if "ann" not in name]
    return json.dumps(report | {"at": report["at"] - 100_000}).encode()


def start(bus: Bus, then: str) -> subprocess.Popen[str]:
    """Another process that is a worker and waits for a line; returns when it has read its configuration."""
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", PROGRAM.format(then=then), bus.url, bus.namespace],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "1\n"
    return process
