"""How old what is read may be is seen, and may be asked for."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import confbus
from confbus.errors import Stale
from confbus.testing import Proxy
from support.bus import TIMING
from support.eventually import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from support.bus import Bus
    from support.server import Server


def test_a_value_that_redis_does_not_confirm_any_more_gives_way_or_raises(bus: Bus, server: Server) -> None:
    bus.publish(1)
    with Proxy(server.url) as proxy, confbus.connect(proxy.url, namespace=bus.namespace, timing=TIMING) as config:
        assert config.get("number", max_age=30) == 1
        with pytest.raises(Stale):
            config.get("number", max_age=float("nan"))
        assert config.get("nothing", "else", max_age=30) == "else"

        proxy.stall()

        eventually(lambda: config.get("number", -1, max_age=0.5) == -1)
        with pytest.raises(Stale, match=r"'number' was last confirmed .* s ago, and may be 0.5 s old at most"):
            config.get("number", max_age=0.5)
        assert config.get("number") == 1
        assert config.get("number", max_age=3600) == 1
        proxy.flow()
        eventually(lambda: config.get("number", -1, max_age=0.5) == 1)


def test_the_status_tells_when_redis_was_last_heard(bus: Bus, tmp_path: Path) -> None:
    bus.publish(1)
    path = tmp_path / "good"
    before = datetime.now(UTC)

    with confbus.connect(bus.url, namespace=bus.namespace, fallback=path) as config:
        verified_at = config.status().verified_at

    assert verified_at is not None
    assert before <= verified_at <= datetime.now(UTC)
    with confbus.connect("redis://127.0.0.1:1", namespace=bus.namespace, fallback=path, start="cached") as cached:
        assert "(cached, last confirmed " in str(cached.status())
        assert cached.status().verified_age_s < 3600


def test_a_file_does_not_count_as_confirmed_by_a_redis_that_lost_the_head(bus: Bus, tmp_path: Path) -> None:
    bus.publish(1)
    path = tmp_path / "good"
    confbus.connect(bus.url, namespace=bus.namespace, fallback=path).close()
    os.utime(path, (1000, 1000))
    bus.client.delete(bus.keys.head)

    with confbus.connect(bus.url, namespace=bus.namespace, fallback=path, start="cached") as config:
        eventually(lambda: config.status().state == "lost")

    assert path.stat().st_mtime == 1000
