"""Loading all sources: a failing one keeps what it gave last, and a group what its members gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus.errors import SourceFailed
from confbus_publisher.inputs import Inputs
from confbus_publisher.layers import Layers
from confbus_publisher.sources import AnySource, DictSource, DirectorySource, FileSource, GlobSource

if TYPE_CHECKING:
    from pathlib import Path


def test_layers_come_in_the_order_of_sources_and_members(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text("x: 1")
    sources: list[AnySource] = [
        FileSource(tmp_path / "c.yaml"),
        GlobSource(f"{tmp_path}/[ab].yaml"),
        DictSource({"y": 1}),
    ]

    layers = Layers(sources).load()

    assert [layer.source.rpartition("/")[2] for layer in layers] == ["c.yaml", "a.yaml", "b.yaml", "dict"]


def test_one_file_in_two_sources_has_a_layer_for_each(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("x: 1")
    layers = Layers([FileSource(path, priority=1), GlobSource(f"{tmp_path}/*.yaml", priority=5)])
    before = layers.load()

    path.write_text("x: [")
    after = layers.load()

    assert [layer.priority for layer in before] == [1, 5]
    assert after == before


def test_failures_name_who_failed_until_it_is_mended_or_gone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("x: 1")
    layers = Layers([DirectorySource(tmp_path)])
    layers.load()

    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("x: [")
    layers.load()
    broken = set(layers.failures)
    (tmp_path / "a.yaml").write_text("x: 1")
    (tmp_path / "b.yaml").unlink()
    layers.load()

    assert broken == {str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")}
    assert layers.failures == {}


def test_all_problems_are_found_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("x: [")
    (tmp_path / "c.yaml").write_text("y: 1")
    sources: list[AnySource] = [
        DirectorySource(tmp_path),
        FileSource(tmp_path / "d.yaml"),
        GlobSource(f"{tmp_path}/*.toml"),
    ]

    loading = Layers(sources)

    layers = loading.available()
    problems = list(loading.failures.values())

    assert [layer.tree for layer in layers] == [{"y": 1}]
    assert [str(problem).partition(": ")[0].removeprefix(f"{tmp_path}/") for problem in problems] == [
        "a.yaml:2:1",
        "b.yaml:2:1",
        "d.yaml",
        "*.toml",
    ]


def test_a_group_that_fails_at_once_is_refused_even_if_it_had_members_that_never_worked(tmp_path: Path) -> None:
    directory = tmp_path / "conf.d"
    directory.mkdir()
    (directory / "a.yaml").write_text("x: [")
    layers = Layers([DirectorySource(directory)])
    with pytest.raises(SourceFailed, match=r"a\.yaml:2:1"):
        layers.load()

    (directory / "a.yaml").unlink()

    with pytest.raises(SourceFailed, match="no file is there"):
        layers.load()


def test_the_directories_of_groups_and_members_are_watched(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "parts" / "a").write_text("x: 1")
    (tmp_path / "conf.d" / "a.yaml").symlink_to("../parts/a")
    inputs = Inputs([DirectorySource(tmp_path / "conf.d", follow_links=True)], limit_bytes=1000)

    before = inputs.watched
    inputs.load()

    assert before == {tmp_path / "conf.d"}
    assert inputs.watched == {tmp_path / "conf.d", tmp_path / "parts"}


def test_of_ten_files_only_the_edited_one_makes_another_layer(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.yaml").write_text(f"section{number}: {{value: 1}}")
    inputs = Inputs([DirectorySource(tmp_path)], limit_bytes=10_000)
    before = inputs.load()
    layers = before.merged.layers

    unchanged = inputs.load()
    (tmp_path / "4.yaml").write_text("section4: {value: 2}")
    after = inputs.load()

    again = after.merged.layers
    assert unchanged is before
    assert after.merged.tree["section4"] == {"value": 2}
    assert [number for number in range(10) if again[number] is not layers[number]] == [4]
