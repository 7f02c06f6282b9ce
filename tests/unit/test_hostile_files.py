"""Whatever stands in the place of a file is refused in a moment, and none leads out of where it may be."""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from confbus.address import read_password
from confbus.errors import ConfBusError, Malformed
from confbus.open_keys import OpenKeys
from confbus.secrets.places import Files
from confbus.secrets.unresolved import Unresolved
from confbus_publisher.checks.schema import SchemaCheck
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.sealing.key_file import KeyFile
from confbus_publisher.sources.directory import DirectorySource
from confbus_publisher.sources.file import FileSource
from confbus_publisher.sources.glob import GlobSource
from confbus_publisher.sources.remote.request import SecretFile
from confbus_publisher.sources.secrets import SecretsSource
from confbus_publisher.sources.value_file import read_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def open_keys(path: Path) -> None:
    keys = OpenKeys("shop", path)
    keys.renew()
    if keys.problem:
        raise Malformed(keys.problem, "told, not raised")


READERS: dict[str, Callable[[Path], object]] = {
    "a source": lambda path: FileSource(path, format_name="yaml").load(),
    "a value": read_value,
    "a password": lambda path: read_password(str(path)),
    "a token": lambda path: SecretFile(path, "authorization").header(),
    "a schema": SchemaCheck,
    "a secret": lambda path: Files().read(str(path)),
    "a keyring": lambda path: KeyFile(path).ring(),
    "a keyring to open with": open_keys,
    "the memory file": lambda path: MemoryFile(path, "shop").load(),
}
REFUSED = (ConfBusError, Unfit, ConnectionError, Unresolved)


def pipe(place: Path) -> Path:
    os.mkfifo(place / "pipe")
    return place / "pipe"


def link_to_a_device(place: Path) -> Path:
    (place / "zero").symlink_to("/dev/zero")
    return place / "zero"


def directory(place: Path) -> Path:
    (place / "directory").mkdir()
    return place / "directory"


def circle(place: Path) -> Path:
    (place / "circle").symlink_to("circle")
    return place / "circle"


@pytest.mark.parametrize("made", [pipe, link_to_a_device, directory, circle])
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, reader: str, made: Callable[[Path], Path]) -> None:
    path = made(tmp_path)

    with pytest.raises(REFUSED) as refused:
        READERS[reader](path)

    assert str(path) in str(refused.value) or isinstance(refused.value, Unfit | Unresolved)


@pytest.mark.parametrize("reader", READERS)
def test_a_file_without_end_is_refused(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 2**40)

    with pytest.raises(REFUSED):
        READERS[reader](path)


def test_a_name_with_a_line_break_is_a_key_or_a_part_of_a_place_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "a\nb").write_text("1")
    (tmp_path / "c\nd.yaml").write_text("x: 1")

    values = SecretsSource(tmp_path, interpolate=False).load()
    [layer] = [member.load() for member in DirectorySource(tmp_path).members()]

    assert values.tree == {"a\nb": "1", "c\nd.yaml": "x: 1"}
    assert layer.tree == {"x": 1}


@pytest.mark.parametrize("target", ["../outside.yaml", "{outside}", "inner/../../outside.yaml"])
def test_no_link_of_a_directory_or_of_a_pattern_leads_out_of_it(tmp_path: Path, target: str) -> None:
    outside, place = tmp_path / "outside.yaml", tmp_path / "conf.d"
    outside.write_text("password: hunter2")
    (place / "inner").mkdir(parents=True)
    (place / "app.yaml").symlink_to(target.format(outside=outside))

    for group in (DirectorySource(place), GlobSource(str(place / "*.yaml"))):
        for member in group.members():
            with pytest.raises(ConfBusError, match="leads out of its directory") as refused:
                member.load()
            assert "hunter2" not in str(refused.value)
    with pytest.raises(ConfBusError, match="leads out of its directory"):
        SecretsSource(place).load()


def test_a_memory_file_beyond_its_bound_is_left_alone_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.touch()
    os.truncate(path, 2**40)

    tracemalloc.start()
    with pytest.raises(Malformed, match="larger than 512 MiB"):
        MemoryFile(path, "shop").load()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 1_000_000
