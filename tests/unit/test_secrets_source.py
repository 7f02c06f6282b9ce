"""A directory of secrets as a source: each file is one value."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from confbus.errors import SourceFailed
from confbus_publisher.layers import Layers
from confbus_publisher.sources import SecretsSource
from support.kubelet import Volume

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    return directory


def refusal(source: SecretsSource) -> str:
    with pytest.raises(SourceFailed) as caught:
        source.load()
    return str(caught.value)


def test_each_file_is_a_string_under_its_name(secrets: Path) -> None:
    contents = {
        "token": "t0ken\n",
        "database__password": "1234",
        "database__TLS__Key": "a\nb\r\n",
        "empty": "",
        "two": "x\n\n",
    }
    for name, content in contents.items():
        (secrets / name).write_bytes(content.encode())

    layer = SecretsSource(secrets, priority=3).load()

    assert layer.tree == {
        "token": "t0ken",
        "database": {"password": "1234", "TLS": {"Key": "a\nb"}},
        "empty": "",
        "two": "x\n",
    }
    assert {".".join(map(str, path)): str(at) for path, at in layer.origins.items()} == {
        "": f"{secrets}",
        "token": f"{secrets}/token",
        "database": f"{secrets}/database__password",
        "database.password": f"{secrets}/database__password",
        "database.TLS": f"{secrets}/database__TLS__Key",
        "database.TLS.Key": f"{secrets}/database__TLS__Key",
        "empty": f"{secrets}/empty",
        "two": f"{secrets}/two",
    }
    assert (layer.kind, layer.priority, layer.interpolates) == ("secrets", 3, False)


def test_what_is_no_secret_is_left_out(secrets: Path) -> None:
    (secrets / "token").write_text("x")
    for name in (".hidden", "token~", "#token#"):
        (secrets / name).write_text("x")
    (secrets / "kubernetes.io").mkdir()

    assert SecretsSource(secrets).load().tree == {"token": "x"}


def test_the_same_secrets_give_the_very_same_layer(secrets: Path) -> None:
    (secrets / "token").write_text("x\n")
    source = SecretsSource(secrets)
    first = source.load()

    (secrets / "token").write_text("x")
    same = source.load()
    (secrets / "token").rename(secrets / "other")
    other = source.load()

    assert same is first
    assert other.tree == {"other": "x"}


def no_text(directory: Path) -> None:
    (directory / "token").write_bytes(b"hunter2\xff")


def too_large(directory: Path) -> None:
    (directory / "token").touch()
    os.truncate(directory / "token", 1024 * 1024 + 1)


def a_pipe(directory: Path) -> None:
    os.mkfifo(directory / "token")


def out_of_it(directory: Path) -> None:
    (directory / "token").symlink_to("/etc/passwd")


def a_circle(directory: Path) -> None:
    (directory / "token").symlink_to("token")


def inside_a_value(directory: Path) -> None:
    (directory / "token").write_text("hunter2")
    (directory / "token__a").write_text("hunter2")


def without_a_key(directory: Path) -> None:
    (directory / "token__").write_text("hunter2")


@pytest.mark.parametrize(
    ("spoil", "place", "reason"),
    [
        (no_text, "/token", "the byte at offset 7 is no UTF-8"),
        (too_large, "/token", "larger than 1 MiB"),
        (a_pipe, "/token", "no regular file"),
        (out_of_it, "/token", "leads out of its directory"),
        (a_circle, "/token", "unreadable"),
        (inside_a_value, "/token__a", "which is a value itself"),
        (without_a_key, "/token__", "a key in its name is empty"),
    ],
)
def test_what_cannot_be_a_secret_is_refused_by_its_file_and_the_last_ones_stay(
    secrets: Path, spoil: Callable[[Path], None], place: str, reason: str
) -> None:
    (secrets / "other").write_text("x")
    source = SecretsSource(secrets)
    layers = Layers([source])
    before = layers.load()

    spoil(secrets)
    told = refusal(source)

    assert told.startswith(f"{secrets}{place}: ")
    assert reason in told
    assert "hunter2" not in told
    assert layers.load() == before


def test_no_secret_at_all_is_refused_unless_it_is_optional(secrets: Path) -> None:
    missing = secrets / "missing"

    assert "no file is there" in refusal(SecretsSource(secrets))
    assert "no file is there" in refusal(SecretsSource(missing))
    assert SecretsSource(missing, optional=True).load().tree == {}


def test_a_link_out_of_it_is_followed_when_that_is_allowed(secrets: Path) -> None:
    (secrets.parent / "vault").write_text("x")
    (secrets / "token").symlink_to("../vault")

    assert SecretsSource(secrets, follow_links=True).load().tree == {"token": "x"}


def test_no_step_of_an_update_shows_a_part_of_it(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "secret")
    volume.write({"user": "a", "password": "1", "old": "x"})
    source = SecretsSource(volume.directory)
    before = source.load().tree

    seen = [source.load().tree for _ in volume.steps({"user": "b", "password": "2", "new": "y"})]

    after = {"user": "b", "password": "2", "new": "y"}
    assert [tree for tree in seen if tree not in (before, after)] == []
    assert seen[-1] == after
    assert source.watched == (volume.directory, (volume.directory / "..data").resolve())


def test_a_secret_is_never_shown(secrets: Path) -> None:
    (secrets / "token").write_text("hunter2")
    source = SecretsSource(secrets)

    assert "hunter2" not in repr((source, source.load()))
