"""With every logger at debug, others' included, no value that crosses the bus is in a line of any log."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import redis

import confbus
from confbus_publisher.logs import JsonLines
from support.bus import TIMING
from support.eventually import eventually
from support.managed import managed
from support.said import Said
from support.sealed_bus import SECRET, SealedBus
from support.seals import ring

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.server import Server

PLAIN = "a-value-that-anybody-may-know"


def tree(number: int) -> dict[str, Any]:
    return {"db": {"password": f"{SECRET} {number}"}, "web": {"note": f"{PLAIN} {number}", "number": number}}


def test_edits_vetoes_and_damage_log_no_value(
    server: Server, namespace: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with SealedBus(server.url, namespace, tmp_path) as bus:
        bus.keyring("ann", "k1")
        publisher = bus.resting(1)
        (tmp_path / "open").write_text(ring("k1").text())

        def publish(number: int) -> None:
            bus.edits.write(tree(number))
            publisher.turn()

        def odd(snapshot: confbus.Snapshot) -> None:
            if snapshot["web.number"] == 3:
                raise ValueError("three is refused")

        publish(1)
        terms: dict[str, Any] = {"namespace": namespace, "timing": TIMING, "open_keys": tmp_path / "open"}
        with (
            confbus.connect(server.url, validators=[odd], **terms) as own,
            confbus.connect(client=lambda: redis.Redis.from_url(server.url), **terms) as lent,
        ):
            for number in (2, 3, 4):
                publish(number)
                eventually(lambda: lent["web.number"] == number, describe=lent.status)  # noqa: B023 — asked at once
            eventually(lambda: own["web.number"] == 4, describe=own.status)
            bus.client.delete(bus.keys.blobs)
            publish(5)
            publish(6)
            eventually(lambda: (own["web.number"], lent["web.number"]) == (6, 6), describe=own.status)
        publisher.ledger.store.drop_lease(publisher.identity)
        publisher.ledger.store.close()
        asyncio.run(_managed(bus, tmp_path))

    lines = [JsonLines().format(record) for record in caplog.records]
    assert len(lines) > 10
    assert {record.name.partition(".")[0] for record in caplog.records} >= {"confbus", "confbus_publisher"}
    assert [line for line in lines if SECRET in line or PLAIN in line] == []


async def _managed(bus: SealedBus, directory: Path) -> None:
    said = Said(tree(6))
    allowed = {"db.password": "it is sealed"}
    async with managed(
        said, redis=bus.url, namespace=bus.namespace, seal=["db"], keys=directory / "ann.keys", secrets_allow=allowed
    ) as manager:
        said.tree = tree(7)
        await manager.reload()
        said.failure = ValueError("away")
        await manager.reload()
