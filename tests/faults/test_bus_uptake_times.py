"""How long releases take to a real fleet, as the publisher's metrics tell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from support.bus import Bus
from support.eventually import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from support.server import Server


def test_the_time_from_the_publish_to_each_worker_is_told_by_one_clock(
    server: Server, namespace: str, tmp_path: Path
) -> None:
    with Bus(server.url, namespace, tmp_path) as bus:
        publisher = bus.publisher()
        for _ in range(2):
            bus.worker()
        measures = publisher.publisher.measures
        eventually(lambda: len(measures.live) == 2)
        began = time.monotonic()

        bus.edit(publisher, 2)

        times = measures.uptake_times.durations
        eventually(lambda: sum(times.counts) == 2)
        assert 0 < times.total_s <= 2 * (time.monotonic() - began)
        bus.agree(2)
