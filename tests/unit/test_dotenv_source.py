"""`.env` files as a source: the environment's names and values, with lines, and nothing skipped in silence."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import SourceFailed
from confbus.wire.path import parse
from confbus_publisher.formats.dotenv import load_dotenv
from confbus_publisher.formats.tree import paths

WHOLE = r"""# what a deployment sets
DATABASE_HOST=db-1.internal   # the primary
DATABASE_PORT = 5432
  export DATABASE__MAX_SIZE="20"

__LOG_LEVEL='info # not a comment'
GREETING="one\ttwo \"three\" \\
four"
EMPTY=
URL=http://x/#top
VERSION=1.10
FLAGS={"new_ui": true, "old": {"a": null}}
"""
TREE = {
    "database": {"host": "db-1.internal", "port": 5432, "max_size": 20},
    "log_level": "info # not a comment",
    "greeting": 'one\ttwo "three" \\\nfour',
    "empty": "",
    "url": "http://x/#top",
    "version": "1.10",
    "flags": {"new_ui": True, "old": {"a": None}},
}
PLACES = {
    "": ":1:1",
    "database": ":2:1",
    "database.host": ":2:1",
    "database.port": ":3:1",
    "database.max_size": ":4:10",
    "log_level": ":6:1",
    "greeting": ":7:1",
    "empty": ":9:1",
    "url": ":10:1",
    "version": ":11:1",
    "flags": ":12:1",
    "flags.new_ui": ":12:1",
    "flags.old": ":12:1",
    "flags.old.a": ":12:1",
}
REFUSED = {
    "no value": ("A=1\n  NAME\n", ":2:3", "this is no NAME=value"),
    "export alone": ("export A\n", ":1:1", "this is no NAME=value"),
    "a name with a dash": ("A-B=1", ":1:1", "this is no NAME=value"),
    "a name in quotes": ('"A"=1', ":1:1", "this is no NAME=value"),
    "YAML": ("a: 1", ":1:1", "this is no NAME=value"),
    "open quote": ("A=1\nB='x\nC=2\n", ":2:3", "is not closed"),
    "open double quote": ('A="x\\"\n', ":1:3", "is not closed"),
    "behind the quote": ("A='x'y", ":1:6", "behind the closing quote"),
    "two words in quotes": ('A="x" "y"', ":1:6", "behind the closing quote"),
    "escape": ('A="x\\d"', ":1:5", "escape means nothing"),
    "escaped dollar": ('A="\\${B}"', ":1:4", "escape means nothing"),
    "twice": ("A=1\nB=1\nA=2", ":3:1", "A sets a value where A on line 1"),
    "twice in another case": ("A=1\na=2", ":2:1", "a sets a value where A on line 1"),
    "value and mapping": ("A=1\nA_B=2", ":2:1", "A_B sets a value where A on line 1"),
    "mapping and value": ("A_B=2\nA=1", ":1:1", "A_B sets a value where A on line 2"),
    "into JSON": ('A_B_C=2\nA_B={"x": 1}', ":1:1", "A_B_C sets a value where A_B on line 2"),
    "no key": ("A_=1", ":1:1", "a key in its name is empty"),
    "no key at all": ("__=1", ":1:1", "a key in its name is empty"),
    "too many levels": ("_".join("A" * 101) + "=1", ":1:1", "too many levels"),
    "no JSON": ("A=[1,", ":1:3", "begins like JSON"),
    "200,000 quotes": ("A=" + '"\\"' * 200_000, ":1:", ""),
}
PIECES = [
    "A",
    "B_C",
    "_",
    "=",
    " ",
    "\n",
    "\r\n",
    "'",
    '"',
    "\\",
    "\\n",
    "#",
    "export ",
    "{",
    "[1]",
    "1.5",
    "${X}",
    "\x00",
]


def refusal(text: str) -> str:
    with pytest.raises(SourceFailed) as caught:
        load_dotenv(text, origin_name=".env")
    return str(caught.value)


def test_every_value_has_the_place_of_its_name() -> None:
    tree, origins = load_dotenv(WHOLE, origin_name=".env")

    assert repr(dict(sorted(tree.items()))) == repr(dict(sorted(TREE.items())))
    assert {path: str(at) for path, at in origins.items()} == {
        parse(path): f".env{place}" for path, place in PLACES.items()
    }


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_variable_is_refused_with_its_place(case: str) -> None:
    text, place, reason = REFUSED[case]

    told = refusal(text)

    assert told.startswith(f".env{place}")
    assert reason in told


def test_no_refusal_tells_a_value() -> None:
    texts = ["A=hunter2\nA=hunter2", "A='hunter2", "A='hunter2'hunter2", "A=[hunter2", "hunter2", 'A="hunter2\\z"']

    told = [refusal(text) for text in texts]

    assert [text for text in told if "hunter2" in text] == []


def test_lines_that_end_as_on_windows_end_values_too() -> None:
    text = "A=1\r\nB='x\r\ny'\r\nC=2"

    tree, origins = load_dotenv(text, origin_name=".env")

    assert tree == {"a": 1, "b": "x\ny", "c": 2}
    assert str(origins["c",]) == ".env:4:1"


def test_a_reference_is_left_for_the_expansion_after_the_merge() -> None:
    text = "A=${HOME}\nB='$${x}'\n"

    tree, _ = load_dotenv(text, origin_name=".env")

    assert tree == {"a": "${HOME}", "b": "$${x}"}


@given(values=st.dictionaries(st.from_regex(r"[A-Z]{1,4}", fullmatch=True), st.text(max_size=12), max_size=5))
def test_quoted_text_comes_back_as_the_environment_reads_it(values: dict[str, str]) -> None:
    values = {name: text for name, text in values.items() if text.isascii() and "\r" not in text}
    escaped = {name: text.replace("\\", "\\\\").replace('"', '\\"') for name, text in values.items()}
    text = "\n".join(f'{name}="=:{text}"' for name, text in escaped.items())

    tree, _ = load_dotenv(text, origin_name=".env")

    assert tree == {name.lower(): f"=:{text}" for name, text in values.items()}


@given(text=st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_noise_is_refused_or_loaded_with_all_its_places(text: str) -> None:
    tree: Any = {}
    origins: Any = {(): None}
    with contextlib.suppress(SourceFailed):
        tree, origins = load_dotenv(text, origin_name=".env")

    assert set(paths(tree) if tree else [()]) == origins.keys()
    json.dumps(tree, allow_nan=False).encode()
