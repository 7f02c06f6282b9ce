"""What the stories begin with: a shop for those of the command line, releases for those of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.releases import Releases
from support.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, namespace: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop on the shared server; its directory is the current one."""
    for name in ("CONFBUS_CONFIG", "CONFBUS_URL", "CONFBUS_NAMESPACE", "CONFBUS_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    directory = tmp_path / "shop"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return Shop(directory, namespace, url=redis_url)


@pytest.fixture
def releases(redis_url: str, namespace: str) -> Iterator[Releases]:
    """A namespace on the shared server, with a first release."""
    with Releases(redis_url, namespace) as there:
        there.publish(web={"number": 1})
        yield there
