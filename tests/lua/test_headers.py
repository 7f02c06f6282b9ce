"""The header of each Lua file is held to its body: KEYS, ARGV, REPLY, and why it must be atomic."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "lua"
FILES = sorted(FOLDER.glob("*.lua"))
MAX_LINES = 80

NUMBERED = re.compile(r"(?:^|  )(\d+)(…\d*)? ([a-z ]+?)(?= \(|  |$)")
BINDING = re.compile(r'^local ([\w, ]+?)\s*=\s*((?:(?:KEYS|ARGV)\[\d+\](?: or "")?[,\s]+)+)', re.MULTILINE)
REPLY = re.compile(r'\{("[^{}]*)\}')
RETURN = re.compile(r'return \{("[^{}]*)\}')

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def header_and_body(file: Path) -> tuple[str, str]:
    """The comment at the top, without its marks, and the code."""
    lines = file.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    header = [line.removeprefix("--").removeprefix(" ") for line in lines[:first]]
    return "\n".join(header), "\n".join(lines[first:])


def paragraph(header: str, word: str) -> str:
    """What the header says after `word`, its lines joined by the two spaces that part entries."""
    found = re.search(rf"^{word} +(.*(?:\n +.*)*)", header, re.MULTILINE)
    return re.sub(r"\n *", "  ", found[1]) if found else ""


def documented(header: str, word: str) -> tuple[dict[int, str], bool]:
    """The names by number that the header gives KEYS or ARGV, and whether there are more than it counts."""
    entries = NUMBERED.findall(paragraph(header, word))
    single = {int(number): name.replace(" ", "_") for number, more, name in entries if not more}
    return single, len(single) < len(entries)


def bound(body: str, word: str) -> dict[int, str]:
    """The names by number that the body gives KEYS or ARGV."""
    names: dict[int, str] = {}
    for left, right in BINDING.findall(body + "\n"):
        indexes = re.findall(r"(KEYS|ARGV)\[(\d+)\]", right)
        pairs = zip(left.split(","), indexes, strict=True)
        names.update({int(index): name.strip() for name, (kind, index) in pairs if kind == word})
    return names


def replies(texts: list[str]) -> set[tuple[str, int]]:
    """The words of some replies, each with the number of its values."""
    return {(text.split('"')[1], text.count(",")) for text in texts}


def test_there_are_scripts_to_hold() -> None:
    assert {file.stem for file in FILES} >= {"publish", "amend", "rollback", "show", "lease", "unlease", "unguard"}


@each_file
@pytest.mark.parametrize("word", ["KEYS", "ARGV"])
def test_the_header_numbers_what_the_body_binds(file: Path, word: str) -> None:
    header, body = header_and_body(file)

    names, has_more = documented(header, word)

    assert names == bound(body, word)
    assert list(names) == list(range(1, len(names) + 1))
    assert has_more is bool(re.search(rf"{word}\[[^\]]*[a-z]", body) or f"unpack({word}" in body)


@each_file
def test_keys_and_arguments_are_bound_in_the_first_lines_and_never_indexed_again(file: Path) -> None:
    _, body = header_and_body(file)

    last_binding = [found.end() for found in BINDING.finditer(body)][-1]

    assert len(body[:last_binding].splitlines()) <= 10
    assert not re.search(r"(KEYS|ARGV)\[\d+\]", body[last_binding:])


@each_file
def test_the_header_names_every_reply_and_the_body_gives_every_one(file: Path) -> None:
    header, body = header_and_body(file)

    told, given = replies(REPLY.findall(paragraph(header, "REPLY"))), replies(RETURN.findall(body))

    assert told == given
    assert told or file.stem == "show"


@each_file
def test_the_header_says_what_it_is_and_why_it_is_a_script(file: Path) -> None:
    header, _ = header_and_body(file)

    assert header.startswith(f"{file.stem}: ")
    assert re.search(r"^(Atomic|A script) because .{20}", header, re.MULTILINE | re.DOTALL)


@each_file
def test_a_file_is_short_and_keeps_to_what_every_server_has(file: Path) -> None:
    text = file.read_text()

    assert len(text.splitlines()) <= MAX_LINES
    assert not text.startswith("#!")
    assert not re.search(r"error_reply|redis\.sha1hex\(\)|REDIS_VERSION|\bbit\.|struct\.", text)


@each_file
def test_only_the_script_for_eyes_looks_into_the_content(file: Path) -> None:
    _, body = header_and_body(file)

    assert bool(re.search(r"cjson|cmsgpack", body)) is (file.stem == "show")
