"""Fixtures for pytest, which finds them by itself. Every run of pytest loads this: it imports what it offers later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.subscriber import Subscriber
    from confbus.testing.bus import Bus


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "confbus(document): what the confbus_bus of this test has published at first.")


@pytest.fixture
def confbus_bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    """A bus in memory for one test. It has published what the mark `confbus` says, or an empty configuration."""
    from confbus.testing.bus import Bus

    mark: pytest.Mark | None = request.node.get_closest_marker("confbus")
    with Bus(mark.args[0] if mark else {}) as bus:
        yield bus


@pytest.fixture
def confbus_config(confbus_bus: Bus) -> Subscriber:
    """A subscriber on `confbus_bus`."""
    return confbus_bus.connect()
