"""One follower at work, where another thread takes the last known good from disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.fallback import Fallback, LastGood
from confbus.following import Following
from confbus.local import Local
from confbus.telling import Telling
from confbus.timing import Timing
from confbus.wire import head as heads
from confbus.wire.keys import Keys
from support.places import encoded

if TYPE_CHECKING:
    from pathlib import Path


def test_who_comes_second_to_the_disk_leaves_what_the_first_found(tmp_path: Path) -> None:
    content = encoded({"db": {"host": "a"}})
    head = heads.first(version=7, digest=content.manifest.digest, merged="")
    fallback = Fallback(str(tmp_path / "good"), "shop")
    fallback.keep(LastGood(head, content.manifest, content.blobs, 1000))
    fallback.flush()
    following = Following(
        Local(validators=(), on_swap=lambda _snapshot: None),
        Keys("shop"),
        instance="here",
        timing=Timing(),
        telling=Telling({}, is_reporting=False),
        fallback=fallback,
    )

    is_there = [following.restore(), following.restore()]

    assert is_there == [True, True]
    status = following.status()
    assert status.state == "cached"
    assert status.running is not None
    assert status.running.version == 7
