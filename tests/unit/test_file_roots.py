"""Which files `${file:…}` may read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from confbus_publisher.expansion.file_roots import FileRoots
from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """`config/` beside `secrets/` and beside `elsewhere/`, each with a file `pw`."""
    for name in ("config", "secrets", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pw").write_text(f"of {name}\n")
    return tmp_path


def roots(place: Path) -> FileRoots:
    return FileRoots([place / "secrets", place / "config"], base=place / "config")


def refusal(place: Path, name: str) -> str:
    with pytest.raises(Unfit) as caught:
        roots(place).read(name)
    return caught.value.reason


def test_names_may_be_absolute_or_start_at_the_base(place: Path) -> None:
    both = ["pw", str(place / "secrets" / "pw")]

    read = [roots(place).read(name) for name in both]

    assert read == ["of config", "of secrets"]


@pytest.mark.parametrize(("content", "text"), [("a\n\n", "a\n"), ("a\r\n", "a"), ("a", "a"), ("a\r", "a\r"), ("", "")])
def test_one_line_break_at_the_end_is_not_part_of_the_value(place: Path, content: str, text: str) -> None:
    (place / "config" / "pw").write_bytes(content.encode())

    assert roots(place).read("pw") == text


@pytest.mark.parametrize("name", ["../secrets/pw", "../elsewhere/pw", "a/../pw", ""])
def test_a_path_with_dots_is_refused_wherever_it_leads(place: Path, name: str) -> None:
    assert "a path without .. is wanted" in refusal(place, name)


def test_what_is_not_below_a_root_is_refused_and_the_roots_are_named(place: Path) -> None:
    told = refusal(place, str(place / "elsewhere" / "pw"))

    assert "it is not below" in told
    assert str(place / "secrets") in told


def test_a_link_out_of_the_roots_is_refused_and_one_within_is_followed(place: Path) -> None:
    (place / "config" / "out").symlink_to(place / "elsewhere" / "pw")
    (place / "config" / "aside").symlink_to(place / "elsewhere", target_is_directory=True)
    (place / "config" / "in").symlink_to(place / "secrets" / "pw")
    (place / "config" / "circle").symlink_to("circle")

    told = [refusal(place, name) for name in ("out", "aside/pw", "circle")]

    assert all("it is not below" in each for each in told[:2])
    assert "unreadable" in told[2]
    assert roots(place).read("in") == "of secrets"


def test_roots_may_be_links_themselves(place: Path) -> None:
    (place / "linked").symlink_to(place / "secrets", target_is_directory=True)

    files = FileRoots([place / "linked"], base=place / "config")

    assert files.read(str(place / "linked" / "pw")) == "of secrets"


def test_what_is_no_text_in_a_regular_file_is_refused_without_its_content(place: Path) -> None:
    config = place / "config"
    os.mkfifo(config / "pipe")
    (config / "binary").write_bytes(b"hunter2\xff")
    (config / "large").write_bytes(b"x" * (1024 * 1024 + 1))

    told = {name: refusal(place, name) for name in ("pipe", "binary", "large", "missing", ".", "a\0b")}

    assert "no regular file" in told["pipe"]
    assert "offset 7 is no UTF-8" in told["binary"]
    assert "larger than 1 MiB" in told["large"]
    assert "No such file" in told["missing"]
    assert "directory" in told["."] or "no regular file" in told["."]
    assert "unreadable" in told["a\0b"]
    assert "hunter2" not in str(told)
