"""The keyring of a publisher on disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidSettings
from confbus.keyring import parse
from confbus_publisher.sealing.key_file import KeyFile
from support.seals import ring

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys")


def test_what_is_written_is_read_and_is_its_owners_alone(file: KeyFile) -> None:
    file.write(ring("k2", "k1"))

    assert file.ring() == ring("k2", "k1")
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.path.parent.iterdir()] == ["keys"]


def test_a_file_that_did_not_change_is_the_very_same_ring(file: KeyFile) -> None:
    file.write(ring("k1"))
    first = file.ring()

    assert file.ring() is first

    file.write(ring("k2", "k1"))
    assert file.ring() == ring("k2", "k1")


def test_no_file_is_no_ring(file: KeyFile) -> None:
    assert file.ring() is None


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o601])
def test_a_keyring_that_others_may_use_is_refused(file: KeyFile, mode: int) -> None:
    file.write(ring("k1"))
    file.path.chmod(mode)

    with pytest.raises(InvalidSettings, match=f"others may use it .mode {mode:o}.*chmod 600"):
        file.ring()


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640])
def test_a_group_may_be_lent_it(file: KeyFile, mode: int) -> None:
    file.write(ring("k1"))
    file.path.chmod(mode)

    assert file.ring() == ring("k1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_root_looks_at_may_be_anybodys(file: KeyFile) -> None:
    file.write(ring("k1"))
    os.chown(file.path, 1234, -1)

    assert file.ring() == ring("k1")


def test_a_link_is_read_as_in_a_mounted_volume_and_never_replaced(file: KeyFile, tmp_path: Path) -> None:
    real = KeyFile(tmp_path / "real")
    real.write(ring("k1"))
    file.path.symlink_to(real.path)

    assert file.ring() == ring("k1")
    with pytest.raises(InvalidSettings, match="symbolic link"):
        file.write(ring("k2"))
    assert real.ring() == ring("k1")


def test_what_is_no_keyring_is_told_without_a_word_of_it(file: KeyFile) -> None:
    for text in ("hunter2", '{"confbus-keys": [{"id": "k1", "key": "hunter2"}]}', "\udcff"):
        file.path.write_text(text, errors="surrogateescape")
        file.path.chmod(0o600)

        with pytest.raises(InvalidSettings, match="keys: ") as refused:
            file.ring()

        assert "hunter2" not in str(refused.value)


def test_a_pipe_in_its_place_holds_nobody_up(file: KeyFile) -> None:
    os.mkfifo(file.path, 0o600)

    with pytest.raises(InvalidSettings, match="it is no file"):
        file.ring()


def test_a_directory_that_cannot_be_written_keeps_the_old_one(file: KeyFile, tmp_path: Path) -> None:
    file.write(ring("k1"))
    blocked = KeyFile(tmp_path / "keys" / "below")

    with pytest.raises(InvalidSettings, match="keyring"), blocked.alone():
        blocked.write(ring("k2"))

    assert parse(file.path.read_text(), what="it") == ring("k1")
