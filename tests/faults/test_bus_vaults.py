"""A vault that says nothing yet: whoever follows another namespace in the same thread notices nothing of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

import confbus
from confbus.wire.frozen import Reference
from confbus_publisher.ledger import Why
from support.bus import Bus
from support.eventually import eventually
from support.http_server import WebServer
from support.places import encoded
from support.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.http_server import Talk
    from support.server import Server

TIMING = confbus.Timing(poll_s=0.2, report_gap_s=0.0)
HUNTER = {"db": {"password": Reference("vault:kv/data/db#password")}}


@pytest.fixture
def answer() -> threading.Event:
    """What the vault waits for before it answers."""
    return threading.Event()


@pytest.fixture
def vault(answer: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    vault = Vault()
    vault.secret("kv/data/db").put({"password": "hunter2"})

    def behave(talk: Talk) -> None:
        answer.wait(60)
        vault.behave(talk)

    with WebServer(behave) as server:
        monkeypatch.setenv("VAULT_ADDR", server.url(""))
        monkeypatch.setenv("VAULT_TOKEN", "hvs.good")
        monkeypatch.delenv("VAULT_TOKEN_FILE", raising=False)
        monkeypatch.delenv("VAULT_NAMESPACE", raising=False)
        yield server
        answer.set()


@pytest.fixture
def other(server: Server, namespace: str, tmp_path: Path) -> Iterator[Bus]:
    """A second namespace on the server of `bus`."""
    (tmp_path / "other").mkdir()
    with Bus(server.url, f"{namespace}-other", tmp_path / "other") as bus:
        yield bus


@pytest.fixture
def pair(bus: Bus, other: Bus) -> Iterator[tuple[confbus.Subscriber, confbus.Subscriber]]:
    """Whoever follows `bus` and `other` in one thread."""
    for each in (bus, other):
        each.ledger.publish(encoded({"db": {"password": "plain"}}), Why("ann"))
    with (
        confbus.connect(bus.url, namespace=bus.namespace, timing=TIMING) as one,
        confbus.connect(other.url, namespace=other.namespace, timing=TIMING) as two,
    ):
        yield one, two


def test_while_a_vault_is_asked_the_thread_goes_on_and_there_is_no_veto(
    bus: Bus, other: Bus, pair: tuple[confbus.Subscriber, confbus.Subscriber], vault: WebServer, answer: threading.Event
) -> None:
    one, two = pair
    bus.ledger.publish(encoded(HUNTER), Why("ann"))
    eventually(lambda: vault.asked)

    other.ledger.publish(encoded({"db": {"password": "other"}}), Why("ann"))
    eventually(lambda: two["db.password"] == "other")
    status = one.status()
    answer.set()
    eventually(lambda: one["db.password"] == "hunter2", describe=one.status)

    assert (status.state, status.counts.vetoes) == ("live", 0)
    assert "a vault was asked for a secret, and has not answered yet" in str(status)
    assert (one.status().error, one.status().counts.vetoes, len(vault.asked)) == ("", 0, 1)


def test_while_a_vault_is_asked_everybody_may_leave(
    bus: Bus, other: Bus, pair: tuple[confbus.Subscriber, confbus.Subscriber], vault: WebServer
) -> None:
    bus.ledger.publish(encoded(HUNTER), Why("ann"))
    eventually(lambda: vault.asked)
    eventually(lambda: bus.ledger.store.fleet() and other.ledger.store.fleet())

    for each in pair:
        each.close()

    assert (bus.ledger.store.fleet(), other.ledger.store.fleet()) == ({}, {})


def test_a_first_release_waits_for_its_vault(bus: Bus, vault: WebServer, answer: threading.Event) -> None:
    bus.ledger.publish(encoded(HUNTER), Why("ann"))
    with confbus.Subscriber(bus.url, namespace=bus.namespace, timing=TIMING) as config:
        config.follow()
        eventually(lambda: vault.asked)
        answer.set()

        config.start(timeout_s=30)

        assert (config["db.password"], config.status().counts.vetoes) == ("hunter2", 0)


def test_an_earlier_release_in_place_of_a_refused_one_waits_for_its_vault(
    bus: Bus, vault: WebServer, answer: threading.Event
) -> None:
    bus.ledger.publish(encoded(HUNTER), Why("ann"))
    bus.ledger.publish(encoded({"db": {"password": ""}}), Why("ann"))

    def refuse_none(snapshot: confbus.Snapshot) -> None:
        if not snapshot["db.password"]:
            raise ValueError

    with confbus.Subscriber(bus.url, namespace=bus.namespace, timing=TIMING, validators=[refuse_none]) as config:
        config.follow()
        eventually(lambda: vault.asked)
        answer.set()

        config.start(timeout_s=30)

        assert (config["db.password"], config.status().state) == ("hunter2", "vetoing")
