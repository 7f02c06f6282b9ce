"""A bus for each test of this folder: a namespace, with whoever publishes and reads in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus.testing import Proxy
from support.bus import Bus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.server import Server


@pytest.fixture
def bus(server: Server, namespace: str, tmp_path: Path) -> Iterator[Bus]:
    """A bus on a server that others use too."""
    with Bus(server.url, namespace, tmp_path) as bus:
        yield bus


@pytest.fixture
def own_bus(own_server: Server, namespace: str, tmp_path: Path) -> Iterator[Bus]:
    """A bus on `own_server`."""
    with Bus(own_server.url, namespace, tmp_path) as bus:
        yield bus


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A way to the server of `bus` that can be broken."""
    with Proxy(server.url) as proxy:
        yield proxy
