"""A file as a source."""

from __future__ import annotations

import codecs
import contextlib
import os
import socket
from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidPath, InvalidSettings, SourceFailed
from confbus_publisher.formats.format import format_of
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
    ("name", "content"),
    [
        ("a.yaml", "x: {y: 1}"),
        ("a.yml", "x:\n  y: 1"),
        ("a.JSON", '{"x": {"y": 1}}'),
        ("a.toml", "[x]\ny = 1"),
        ("a.env", "X_Y=1"),
        (".env", "X_Y=1"),
        (".env.production", "X_Y=1"),
    ],
)
def test_the_suffix_says_how_to_read_it(tmp_path: Path, name: str, content: str) -> None:
    source = FileSource(written(tmp_path / name, content), priority=7)

    layer = source.load()

    assert layer.tree == {"x": {"y": 1}}
    assert (layer.source, layer.priority) == (str(tmp_path / name), 7)
    assert layer.origins["x", "y"].file == str(tmp_path / name)


def test_an_unknown_suffix_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "app.ini"

    with pytest.raises(InvalidSettings, match=r"\.yaml, \.yml, \.json, \.toml or \.env"):
        FileSource(path)


def test_an_unknown_format_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "app.yaml"

    with pytest.raises(InvalidSettings, match="one of yaml, json, toml, dotenv"):
        FileSource(path, format_name="ini")


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


@pytest.mark.parametrize("nothing", ["", "\n", " \n\n"])
def test_a_file_that_is_emptied_is_refused_until_something_stands_in_it(tmp_path: Path, nothing: str) -> None:
    path = written(tmp_path / "a.yaml", "x: 1")
    source = FileSource(path)
    source.load()

    written(path, nothing)
    told = refusal(source)
    written(path, "{}")
    emptied = source.load()

    assert "empty, and was not before. Finish writing it; {}" in told
    assert emptied.tree == {}
    assert FileSource(written(path, nothing)).load().tree == {}


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


@pytest.mark.parametrize(
    ("format_name", "content"),
    [("yaml", "x: {y: 1}"), ("json", '{"x": {"y": 1}}'), ("toml", "x.y = 1"), ("dotenv", "X_Y=1")],
)
def test_a_format_that_is_given_goes_before_the_suffix(tmp_path: Path, format_name: str, content: str) -> None:
    path = written(tmp_path / "settings.json", content)

    layer = FileSource(path, format_name=format_name).load()

    assert layer.tree == {"x": {"y": 1}}


@pytest.mark.parametrize("name", ["a.b", "a", ".yaml", "yaml", "a.yaml~", "a.swp"])
def test_no_format_is_guessed(name: str) -> None:
    said = format_of(name)

    assert said == ""


def test_the_layer_carries_what_was_said_of_the_source(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", "x: 1")

    plain = FileSource(path).load()
    told = FileSource(path, interpolate=False, delete=["database.pool", 'a["b.c"]']).load()

    assert (plain.kind, plain.interpolates, plain.deletes) == ("file", True, frozenset())
    assert (told.interpolates, told.deletes) == (False, frozenset({("database", "pool"), ("a", "b.c")}))


@pytest.mark.parametrize("path", ["hosts[0]", "", "a..b"])
def test_only_keys_can_be_deleted(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidPath):
        FileSource(tmp_path / "a.yaml", delete=[path])


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE])
def test_another_encoding_is_called_by_its_name(tmp_path: Path, mark: bytes) -> None:
    path = written(tmp_path / "a.yaml", mark + "x: 1".encode("utf-16-le"))

    told = refusal(FileSource(path))

    assert told == f"{path}:1: this is UTF-16 or UTF-32, not UTF-8. Save it as UTF-8."


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.toml", "a.env"])
def test_lines_may_end_as_on_windows(tmp_path: Path, name: str) -> None:
    contents = {
        "a.yaml": "x:\r\n  y: 1\r\n",
        "a.json": '{\r\n"x": {\r\n"y": 1}}\r\n',
        "a.toml": "[x]\r\ny = 1\r\n",
        "a.env": "# a\r\nX_Y=1\r\n",
    }
    path = written(tmp_path / name, contents[name])

    layer = FileSource(path).load()

    assert layer.tree == {"x": {"y": 1}}
    assert layer.origins["x", "y"].line == (3 if name == "a.json" else 2)


@pytest.mark.parametrize("content", ["", " \n"])
def test_a_file_that_is_emptied_keeps_its_last_values(tmp_path: Path, content: str) -> None:
    path = written(tmp_path / "a.yaml", "x: 1")
    source = FileSource(path)
    first = source.load()

    written(path, content)
    told = refusal(source)
    written(path, "x: 1")

    assert "it is empty, and was not" in told
    assert source.load() is first


def test_a_comment_alone_empties_a_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", "x: 1")
    source = FileSource(path)
    source.load()

    written(path, "# nothing here\n")

    assert source.load().tree == {}


def test_what_is_refused_once_is_refused_the_same_way_until_it_changes(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", "x: [")
    source = FileSource(path)

    told = [refusal(source), refusal(source)]
    written(path, "x: 'y")
    told.append(refusal(source))

    assert told[0] == told[1] != told[2]


def test_a_socket_and_a_device_are_refused_without_waiting(tmp_path: Path) -> None:
    device = tmp_path / "b.yaml"
    device.symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(tmp_path):  # Names of sockets are short.
        listener.bind("a.yaml")
        told = [refusal(FileSource(path)) for path in (tmp_path / "a.yaml", device)]

    assert ["no regular file" in reason for reason in told] == [True, True]


def test_a_pipe_is_not_even_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    os.write(writer, b"x: 1")

    refusal(FileSource(path))

    assert os.read(reader, 10) == b"x: 1"
    os.close(writer)
    os.close(reader)


def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", "x: 1")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user reads everything")

    told = refusal(FileSource(path))

    assert "unreadable: Permission denied" in told


def test_a_file_that_fails_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.symlink_to("/proc/self/mem")  # A regular file whose first page nobody can read, not even root.

    told = refusal(FileSource(path))

    assert "unreadable: Input/output error" in told


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "a", "")

    told = refusal(FileSource(tmp_path / "a" / "b.yaml", optional=True))

    assert "unreadable: Not a directory" in told
