"""Following a namespace without waiting for its first release."""

from __future__ import annotations

import subprocess
import sys

import pytest

import confbus
from confbus.errors import ConnectFailed
from confbus_publisher.ledger import Why
from confbus_publisher.opening import Site
from support.eventually import eventually
from support.places import encoded

ENDS = """
import sys
import confbus
config = confbus.connect(sys.argv[1], namespace=sys.argv[2])
sys.stdin.read()
"""


def test_who_follows_an_empty_namespace_reads_as_soon_as_there_is_something(redis_url: str, namespace: str) -> None:
    with confbus.Subscriber(redis_url, namespace=namespace).follow() as config:
        eventually(lambda: config.status().state == "waiting")
        with pytest.raises(ConnectFailed, match=r"nothing is published in this namespace yet\. Is that the name"):
            config["number"]

        with Site(redis_url, namespace).ledger() as ledger:
            ledger.publish(encoded({"number": 1}), Why("ann"))
        eventually(lambda: config.status().state == "live", describe=config.status)
        assert config["number"] == 1


def test_who_does_not_even_follow_is_told_so(redis_url: str, namespace: str) -> None:
    with (
        confbus.Subscriber(redis_url, namespace=namespace) as config,
        pytest.raises(ConnectFailed, match="not started"),
    ):
        config["number"]


def test_a_process_that_ends_in_order_leaves_the_fleet_though_nobody_closed_what_it_follows(
    redis_url: str, namespace: str
) -> None:
    with Site(redis_url, namespace).ledger() as ledger:
        ledger.publish(encoded({"number": 1}), Why("ann"))
        with subprocess.Popen([sys.executable, "-c", ENDS, redis_url, namespace], stdin=subprocess.PIPE) as process:
            eventually(ledger.store.fleet)
            process.communicate(timeout=60)

        assert process.returncode == 0
        assert not ledger.store.fleet()
