"""A file that is whole or not there."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import Malformed
from confbus_publisher.checked_file import CheckedFile

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"confbus test 1\n"


def checked(path: Path, magic: bytes = MAGIC) -> CheckedFile:
    return CheckedFile(path, magic=magic, advice="Move it away.")


def test_what_is_written_is_read_and_only_its_owner_may(tmp_path: Path) -> None:
    file = checked(tmp_path / "deep" / "file")

    missing = file.read()
    file.write(b"one")
    file.write(b"two\n")

    assert missing is None
    assert file.read() == b"two\n"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [each.name for each in file.path.parent.iterdir()] == ["file"]


def test_a_pipe_in_its_place_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="is no file"):
        checked(tmp_path / "pipe").write(b"one")

    assert (tmp_path / "pipe").is_fifo()


def test_no_link_in_the_place_of_its_draft_is_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / f"file.{os.getpid()}.new").symlink_to(precious)

    checked(tmp_path / "file").write(b"one")

    assert precious.read_text() == "precious"
    assert checked(tmp_path / "file").read() == b"one"


@given(at=st.integers(0, 200), to=st.integers(0, 255))
def test_one_changed_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, at: int, to: int) -> None:
    file = checked(tmp_path_factory.mktemp("changed") / "file")
    file.write(b"some content")
    raw = bytearray(file.path.read_bytes())
    at %= len(raw)
    raw[at] = to if raw[at] != to else to ^ 1
    file.path.write_bytes(raw)

    with pytest.raises(Malformed, match="Move it away"):
        file.read()


def test_a_torn_file_and_one_of_another_kind_are_malformed(tmp_path: Path) -> None:
    torn, foreign = checked(tmp_path / "torn"), checked(tmp_path / "foreign")
    torn.write(b"some content")
    torn.path.write_bytes(torn.path.read_bytes()[:-1])
    checked(foreign.path, magic=b"confbus other 1\n").write(b"some content")

    for file in (torn, foreign):
        with pytest.raises(Malformed):
            file.read()
