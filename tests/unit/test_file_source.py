"""A file as a source."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidSettings, SourceFailed
from confbus_publisher.sources import FileSource

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(source: FileSource) -> str:
    with pytest.raises(SourceFailed) as caught:
        source.load()
    assert caught.value.source == source.name
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"), [("a.yaml", "x: {y: 1}"), ("a.yml", "x:\n  y: 1"), ("a.JSON", '{"x": {"y": 1}}')]
)
def test_the_suffix_says_how_to_read_it(tmp_path: Path, name: str, content: str) -> None:
    source = FileSource(written(tmp_path / name, content), priority=7)

    layer = source.load()

    assert layer.tree == {"x": {"y": 1}}
    assert (layer.source, layer.priority) == (str(tmp_path / name), 7)
    assert layer.origins["x", "y"].file == str(tmp_path / name)


def test_an_unknown_suffix_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "app.ini"

    with pytest.raises(InvalidSettings, match=r"\.yaml, \.yml or \.json"):
        FileSource(path)


def test_the_same_bytes_give_the_very_same_layer(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", "x: 1")
    source = FileSource(path)
    first = source.load()

    os.utime(path, (0, 0))
    same = source.load()
    written(path, "x: 2")
    other = source.load()

    assert same is first
    assert other.tree == {"x": 2}


def test_a_broken_file_does_not_take_the_good_layer_away(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", "x: 1")
    source = FileSource(path)
    first = source.load()

    written(path, "x: [")
    told = refusal(source)
    written(path, "x: 1")

    assert told.startswith(f"{path}:")
    assert source.load() is first


def test_a_byte_order_mark_is_tolerated(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"x": 1}'
    sources = [FileSource(written(tmp_path / name, content)) for name in ("a.json", "a.yaml")]

    trees = [source.load().tree for source in sources]

    assert trees == [{"x": 1}, {"x": 1}]


def test_bytes_that_are_no_text_are_refused_with_line_and_offset(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", b"\xef\xbb\xbfx: 1\ny: \xff")

    told = refusal(FileSource(path))

    assert told.startswith(f"{path}:2: ")
    assert "offset 11" in told


def test_a_missing_file_is_refused_unless_it_is_optional(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    source = FileSource(path, optional=True)

    told = refusal(FileSource(path))
    missing = source.load()
    again = source.load()
    written(path, "x: 1")

    assert "no such file" in told
    assert missing.tree == {}
    assert again is missing
    assert source.load().tree == {"x": 1}


def test_an_empty_file_is_not_the_same_as_a_missing_one(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", "")

    told = refusal(FileSource(path, optional=True))

    assert "this is no JSON" in told


def test_a_directory_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    directory, pipe = tmp_path / "a.yaml", tmp_path / "b.yaml"
    directory.mkdir()
    os.mkfifo(pipe)

    told = [refusal(FileSource(path)) for path in (directory, pipe)]

    assert ["a directory" in told[0], "no regular file" in told[1]] == [True, True]


def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.symlink_to(path)

    told = refusal(FileSource(path))

    assert "unreadable" in told
    assert FileSource(path).watched == (tmp_path,)


def test_a_file_beyond_32_mib_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", "")
    os.truncate(path, 32 * 1024 * 1024 + 1)

    told = refusal(FileSource(path))

    assert "larger than 32 MiB" in told


def test_both_the_directory_of_a_link_and_that_of_its_target_are_watched(tmp_path: Path) -> None:
    target = tmp_path / "..2026_11_23" / "app.yaml"
    target.parent.mkdir()
    written(target, "x: 1")
    (tmp_path / "..data").symlink_to("..2026_11_23")
    path = tmp_path / "app.yaml"
    path.symlink_to("..data/app.yaml")

    watched = FileSource(path).watched

    assert watched == (tmp_path, target.parent.resolve())


def test_a_swapped_link_gives_the_new_content(tmp_path: Path) -> None:
    for name, content in (("one", "x: 1"), ("two", "x: 2")):
        (tmp_path / name).mkdir()
        written(tmp_path / name / "app.yaml", content)
    link = tmp_path / "..data"
    link.symlink_to("one")
    source = FileSource(link / "app.yaml")
    before = source.load()

    (tmp_path / "..tmp").symlink_to("two")
    (tmp_path / "..tmp").replace(link)

    assert before.tree == {"x": 1}
    assert source.load().tree == {"x": 2}


def test_a_relative_path_stays_where_it_was_and_is_shown_as_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "app.yaml", "x: 1\ny: 2")
    monkeypatch.chdir(tmp_path)
    source = FileSource("app.yaml")

    monkeypatch.chdir("/")
    layer = source.load()

    assert str(layer.origins["y",]) == "app.yaml:2:1"
    assert source.watched == (tmp_path,)
