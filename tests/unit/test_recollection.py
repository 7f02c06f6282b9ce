"""What a publisher remembers of its own merges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus.wire import head as heads
from confbus_publisher.inputs import Inputs, Merge
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.recollection import Recollection
from confbus_publisher.sources import DictSource
from support.seals import ring, seals

if TYPE_CHECKING:
    from pathlib import Path

    from confbus_publisher.sealing.seals import Seals


def merge(number: int, sealing: Seals | None = None) -> Merge:
    return Inputs([DictSource({"db": {"number": number}})], limit_bytes=10_000, seals=sealing).load()


def head_of(merged: str) -> heads.Head:
    return heads.first(version=1, digest="0" * 64, merged=merged)


@pytest.fixture
def recollection(tmp_path: Path) -> Recollection:
    return Recollection(MemoryFile(tmp_path / "state", "shop"))


def test_what_is_accounted_for_has_parted_from_a_head_with_another_merge(recollection: Recollection) -> None:
    mine, other = merge(1), merge(2)
    recollection.accounted = mine.manifest.digest

    assert recollection.has_parted(mine, head_of(other.manifest.digest))
    assert not recollection.has_parted(other, head_of(other.manifest.digest))
    assert not recollection.has_parted(mine, head_of(mine.manifest.digest))
    assert not recollection.has_parted(mine, head_of(""))
    assert not recollection.has_parted(mine, None)


def test_the_same_content_under_another_key_has_not_parted(recollection: Recollection, tmp_path: Path) -> None:
    sealing = seals(tmp_path / "keys", "db")
    before = merge(1, sealing)
    assert sealing.file
    sealing.file.write(ring("k2", "k1"))
    after = merge(1, sealing)
    recollection.accounted = before.manifest.digest

    assert before.manifest.digest != after.manifest.digest
    assert not recollection.has_parted(after, head_of(before.manifest.digest))
    assert recollection.has_parted(after, head_of(merge(2, sealing).manifest.digest))
