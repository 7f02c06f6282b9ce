"""A shop for each of these tests: a directory with a confbus.yaml, on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The current directory is the shop's; its settings name one source, config/app.yaml."""
    for name in ("CONFBUS_CONFIG", "CONFBUS_URL", "CONFBUS_NAMESPACE", "CONFBUS_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path, "shop", url=redis_url)
