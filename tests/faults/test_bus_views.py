"""Typed views on a real bus: what a worker shows, refuses and tells, whenever they are bound."""

from __future__ import annotations

import json
import os
import signal
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.errors import ConnectFailed, ViewFailed
from support.bus import TIMING
from support.eventually import eventually

if TYPE_CHECKING:
    from confbus import Subscriber
    from support.bus import Bus


@dataclass(frozen=True)
class Web:
    number: int
    padding: str


@dataclass(frozen=True)
class Database:
    host: str
    number: int

    def __post_init__(self) -> None:
        if self.number % 7 == 0:
            raise ValueError(f"{self.host} is no good")


def report(bus: Bus, config: Subscriber) -> Any:
    return json.loads(bus.ledger.store.fleet()[config.instance])


def test_a_release_that_does_not_fit_a_view_is_refused_whole_and_told_without_values(bus: Bus) -> None:
    bus.publish(1)
    views = {"web": Web, "db": Database}
    with confbus.connect(bus.url, namespace=bus.namespace, timing=TIMING, views=views) as config:
        web, db = config.bind("web", Web), config.bind("db", Database)

        bus.publish(7)
        eventually(lambda: config.status().state == "vetoing")
        eventually(lambda: bus.ledger.store.fleet() and report(bus, config)["state"] == "vetoing")
        assert (web.current.number, db.current.number, config["number"]) == (1, 1, 1)
        assert report(bus, config)["error"] == "db: ValueError: … is no good"
        assert report(bus, config)["validators"] == 2

        bus.publish(8)
        eventually(lambda: config["number"] == 8)
        assert (web.current.number, db.current.host) == (8, "db-8")


def test_views_judge_the_first_release_too(bus: Bus) -> None:
    bus.publish(7)
    config = confbus.Subscriber(bus.url, namespace=bus.namespace, timing=TIMING)
    db = config.bind("db", Database)

    with config.follow():
        eventually(lambda: config.status().state == "vetoing")
        with pytest.raises(ConnectFailed, match="is no good"):
            _ = db.current
        bus.publish(8)
        eventually(lambda: config.status().state == "live")
        assert db.current == Database("db-8", 8)


def test_a_view_shows_the_pinned_version_within_a_pin(bus: Bus) -> None:
    bus.publish(1)
    config = bus.worker().config
    db = config.bind("db", Database)

    with config.pin():
        first = db.pinned
        bus.publish(2)
        eventually(lambda: db.current.number == 2)
        within = (db.pinned, config["db.number"], db.current.number)

    assert within == (first, 1, 2)
    assert db.pinned is db.current


def test_a_forked_child_that_only_reads_a_view_follows_and_refuses_what_does_not_fit(bus: Bus) -> None:
    bus.publish(1)
    config = bus.worker().config
    db = config.bind("db", Database)
    asking, telling = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads; they are what is tried here
        child = os.fork()
    if child == 0:  # no assertion may leave the child for the tests of its parent
        seen: set[int] = set()
        try:
            while (number := db.current.number) < 8:
                seen.add(number)
            os.write(telling, repr(sorted(seen)).encode())
        finally:
            os._exit(0)

    try:
        eventually(lambda: len(bus.ledger.store.fleet()) == 2)
        bus.publish(7)
        eventually(lambda: [json.loads(each)["state"] for each in bus.ledger.store.fleet().values()] == ["vetoing"] * 2)
        bus.publish(8)
        assert os.read(asking, 100) == b"[1]"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(asking)
        os.close(telling)


def test_a_late_view_that_does_not_fit_fails_its_caller_alone(bus: Bus) -> None:
    bus.publish(7)
    worker = bus.worker()

    with pytest.raises(ViewFailed):
        worker.config.bind("db", Database)
    bus.publish(14)

    bus.agree(14)
