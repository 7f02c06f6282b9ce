"""A bus for each test of this folder; who follows it are other processes, which tell what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.bus import Bus
from support.family import Family

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.server import Server


@pytest.fixture
def bus(server: Server, namespace: str, tmp_path: Path) -> Iterator[Bus]:
    with Bus(server.url, namespace, tmp_path) as bus:
        yield bus


@pytest.fixture
def family(bus: Bus, tmp_path: Path) -> Iterator[Family]:
    """Processes that follow `bus`, of which document 1 is published."""
    bus.publish(1)
    with Family(bus, tmp_path / "family") as family:
        yield family
