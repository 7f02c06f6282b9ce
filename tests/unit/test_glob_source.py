"""A pattern as a source: `conf.d/*.yaml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidSettings, SourceFailed
from confbus_publisher.layers import Layers
from confbus_publisher.sources import GlobSource
from confbus_publisher.sources.profile import in_order, variant

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, text: str = "a: 1") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def found(directory: Path, source: GlobSource) -> list[str]:
    return [member.name.removeprefix(f"{directory}/") for member in source.members()]


def test_a_pattern_finds_what_shells_find_in_the_order_of_paths(tmp_path: Path) -> None:
    for name in ("b/2.yaml", "b/1.yaml", "a/3.yaml", "a/.4.yaml", "a/5.json", ".c/6.yaml", "d/deep/7.yaml", "8.yaml"):
        written(tmp_path / name)

    assert found(tmp_path, GlobSource(f"{tmp_path}/*/*.yaml")) == ["a/3.yaml", "b/1.yaml", "b/2.yaml"]
    assert found(tmp_path, GlobSource(f"{tmp_path}/[ac]/?.*", format_name="yaml")) == ["a/3.yaml", "a/5.json"]
    assert found(tmp_path, GlobSource(f"{tmp_path}/d/*/7.yaml")) == ["d/deep/7.yaml"]


def test_a_file_that_comes_later_is_found_and_one_that_stays_is_the_same_source(tmp_path: Path) -> None:
    written(tmp_path / "b.yaml")
    source = GlobSource(f"{tmp_path}/*.yaml")
    [first] = source.members()

    written(tmp_path / "a.yaml")
    other, same = source.members()

    assert other.name == str(tmp_path / "a.yaml")
    assert same is first


def test_every_directory_in_which_a_match_may_come_up_is_watched(tmp_path: Path) -> None:
    written(tmp_path / "x" / "one" / "conf" / "a.yaml")
    source = GlobSource(f"{tmp_path}/x/*/conf/*.yaml", optional=True)

    before = source.watched
    written(tmp_path / "x" / "two" / "conf" / "a.yaml")

    assert before == (tmp_path / "x", tmp_path / "x" / "one" / "conf")
    assert source.watched == (*before, tmp_path / "x" / "two" / "conf")
    assert GlobSource(f"{tmp_path}/y/*.yaml").watched == (tmp_path / "y",)


def test_a_pattern_that_matches_nothing_is_refused_unless_it_is_optional(tmp_path: Path) -> None:
    pattern = f"{tmp_path}/*.yaml"

    with pytest.raises(SourceFailed, match="no file is there"):
        GlobSource(pattern).members()
    assert GlobSource(pattern, optional=True).members() == ()


def test_an_unreadable_directory_above_keeps_the_last_values(tmp_path: Path) -> None:
    written(tmp_path / "x" / "one" / "a.yaml")
    layers = Layers([GlobSource(f"{tmp_path}/x/*/*.yaml")])
    before = layers.load()

    (tmp_path / "x").rename(tmp_path / "y")
    written(tmp_path / "x")
    meanwhile = layers.load()

    assert meanwhile == before
    assert "it is no directory" in str(layers.failures[f"{tmp_path}/x/*/*.yaml"])


@pytest.mark.parametrize(
    ("pattern", "reason"), [("a/**/b.yaml", r"\*\* is not known"), ("conf.d/*", "of which format")]
)
def test_a_pattern_that_says_too_little_or_too_much_is_refused_at_once(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidSettings, match=reason):
        GlobSource(pattern)


def test_a_relative_pattern_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "conf.d" / "a.yaml")
    monkeypatch.chdir(tmp_path)
    source = GlobSource("conf.d/*.yaml")

    monkeypatch.chdir("/")
    [layer] = Layers([source]).load()

    assert str(layer.origins["a",]) == "conf.d/a.yaml:1:1"


def test_what_it_deletes_is_a_layer_below_its_files(tmp_path: Path) -> None:
    written(tmp_path / "a.yaml")
    source = GlobSource(f"{tmp_path}/*.yaml", delete=["b.c"], priority=3)

    first, second = Layers([source]).load()

    assert (first.tree, first.deletes, first.priority) == ({}, frozenset({("b", "c")}), 3)
    assert (second.tree, second.deletes) == ({"a": 1}, frozenset())


@pytest.mark.parametrize(
    ("names", "profile", "order"),
    [
        ("a.x.yaml a.y.yaml a.yaml b.yaml", "", "a.x.yaml a.y.yaml a.yaml b.yaml"),
        ("a.x.yaml a.y.yaml a.yaml b.yaml", "y", "a.yaml a.y.yaml b.yaml"),
        ("a.x.yaml b.yaml", "y", "a.x.yaml b.yaml"),
        ("a.yaml a.x.json", "x", "a.x.json a.yaml"),
        ("a.b.yaml a.b.x.yaml", "x", "a.b.yaml a.b.x.yaml"),
        ("a.yaml a.b.yaml a.b.x.yaml", "x", "a.yaml"),
        ("a.x.env a.env", "x", "a.env a.x.env"),
    ],
)
def test_a_profile_puts_its_files_on_top_and_leaves_those_of_others_out(names: str, profile: str, order: str) -> None:
    known = names.split()

    assert list(in_order(known, profile, among=known)) == order.split()


@pytest.mark.parametrize(("name", "other"), [("a.yaml", "a.x.yaml"), (".env", ".env.x"), ("a.b.json", "a.b.x.json")])
def test_the_name_of_what_a_profile_puts_on_top(name: str, other: str) -> None:
    assert variant(name, "x") == other
