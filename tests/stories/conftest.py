"""What the stories of the command line begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.shop import Shop

if TYPE_CHECKING:
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
