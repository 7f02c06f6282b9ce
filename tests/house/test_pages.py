"""Pages that tell a story are played: what they say to type is typed, and what they show is what comes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.page import PLAYED, Player

if TYPE_CHECKING:
    from support.server import Server

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("page", PLAYED)
def test_a_page_is_what_its_reader_meets(
    page: str, own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lua").symlink_to(ROOT / "lua")
    monkeypatch.setenv("CONFBUS_AUTHOR", "ann")

    with Player(own_server, tmp_path) as player:
        player.play(ROOT / page)
