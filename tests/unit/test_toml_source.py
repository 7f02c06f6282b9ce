"""TOML as a source: the standard parser's values, each with its place, and nothing that other sources could not say."""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import SourceFailed
from confbus.wire import reference
from confbus.wire.path import leaves, parse
from confbus_publisher.formats.toml import load_toml
from confbus_publisher.formats.tree import paths

if TYPE_CHECKING:
    from collections.abc import Iterable

WHOLE = """\
title = "shop"  # = [not.a.header]
a.b.c = 1
text = '''
x = 1
[no]
'''

[database]
host = 'db'
ports = [
  5432, # ]
  5433,
]
pool = { min = 1, "max.size" = 2, inner.deep = {} }

[ servers . "eu-1" ]
on = true

[[carriers]]
name = "dhl"
[carriers.limits]
weight = 30
[[carriers]]
name = "ups"

[database.extra]
n = 0x1F
"""
PLACES = {
    "": ":1:1",
    "title": ":1:1",
    "a": ":2:1",
    "a.b": ":2:3",
    "a.b.c": ":2:5",
    "text": ":3:1",
    "database": ":8:2",
    "database.host": ":9:1",
    "database.ports": ":10:1",
    "database.pool": ":14:1",
    "database.pool.min": ":14:10",
    'database.pool["max.size"]': ":14:19",
    "database.pool.inner": ":14:35",
    "database.pool.inner.deep": ":14:41",
    "servers": ":16:3",
    "servers.eu-1": ":16:13",
    "servers.eu-1.on": ":17:1",
    "carriers": ":19:3",
    "database.extra": ":26:11",
    "database.extra.n": ":27:1",
}
NASTY = {
    "no value": ("a = \n", ":1:5", "this is no TOML"),
    "nothing after the key": ("a = 1\nb", ":2:2", "this is no TOML"),
    "duplicate key": ("a = 1\na = 2", ":2:6", "this is no TOML"),
    "duplicate table": ("[a]\n[b]\n[a]", ":3:3", "this is no TOML"),
    "open list": ("a = [1,\n\n", ":3:1", "this is no TOML"),
    "open text": ('a = """x\n\n', ":3:1", "this is no TOML"),
    "half a character": ('a = "\\ud800"', ":1:", "this is no TOML"),
    "a date": ("b = 1\n[t]\na = 2024-01-01", ":3:1", "a date is no configuration value"),
    "a time": ("a = 12:30:45", ":1:1", "a time is no configuration value"),
    "a moment in a list": ("a = [1, [2024-01-01T00:00:00Z]]", ":1:1", "a datetime is no configuration value"),
    "NaN": ("b = 1\na = nan", ":2:1", "NaN and infinity"),
    "infinity": ("a = {b = -inf}", ":1:6", "NaN and infinity"),
    "float out of range": ("a = 1e999", ":1:1", "NaN and infinity"),
    "integer out of range": (f"a = {2**64}", ":1:1", "does not fit in 64 bits"),
    "5,000 digits": (f"[t]\na = {'9' * 5000}", ":2:5", "does not fit in 64 bits"),
    "5,000 digits with underscores": (f"a = -{'9_' * 5000}9", ":1:5", "does not fit in 64 bits"),
    "200,000 lists": ("a = " + "[" * 200_000, ":1:105", "deeper than 100"),
    "200,000 tables": ("a = " + "{a=" * 200_000, ":1:", "deeper than 100"),
    "200,000 parts of a key": ("a." * 200_000 + "a = 1", ":1:201", "deeper than 100"),
    "200,000 parts of a header": ("[" + "a." * 200_000 + "a]", ":1:202", "deeper than 100"),
    "depth of a list of tables": ("[[a]]\n" + "b." * 60 + "b = " + "[" * 60 + "]" * 60, ":1:3", "deeper than 100"),
    "200,000 quotes": ('"""' + '\\"' * 200_000, ":1:", "this is no TOML"),
}
NASTY_TEXTS = [text for text, _, _ in NASTY.values()]
PIECES = [
    *(
        "a",
        "b",
        ".",
        " = ",
        "\n",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        ", ",
        '"',
        "'",
        '"""',
        "'''",
        "\\",
        "# ",
        "\r\n",
        "\t",
    ),
    *("1", "1.5", "true", "inf", "2024-01-01", '"x"', "a = 1\n", "[t]\n", "[[t]]\n", "\x00", "é", "\\u0041"),
]


def refusal(text: str) -> str:
    with pytest.raises(SourceFailed) as caught:
        load_toml(text, origin_name="app.toml")
    return str(caught.value)


def inline(value: Any) -> str:
    """The TOML of a value without nulls, on one line."""
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        return "{" + ", ".join(f"{quoted(key)} = {inline(part)}" for key, part in mapping.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, cast("Iterable[Any]", value))) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


scalars = st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda text: text != reference.KEY)
values: st.SearchStrategy[Any] = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
documents = st.dictionaries(texts, values, max_size=4)


def test_every_entry_outside_of_lists_has_its_place() -> None:
    tree, origins = load_toml(WHOLE, origin_name="app.toml")

    assert tree["carriers"] == [{"name": "dhl", "limits": {"weight": 30}}, {"name": "ups"}]
    assert tree["database"]["extra"] == {"n": 31}
    assert {path: str(at) for path, at in origins.items()} == {
        parse(path): f"app.toml{place}" for path, place in PLACES.items()
    }


@pytest.mark.parametrize("case", NASTY)
def test_nasty_toml_is_refused_with_its_place(case: str) -> None:
    text, place, reason = NASTY[case]

    told = refusal(text)

    assert told.startswith(f"app.toml{place}")
    assert reason in told


def test_a_date_is_refused_with_the_way_out() -> None:
    told = refusal("released = 2024-01-01")

    assert "Quote it" in told
    assert "2024" not in told


def test_lines_that_end_as_on_windows_count_as_one() -> None:
    text = 'a = 1\r\n\r\n[t]\r\nb = """\r\nx"""\r\nc = 2\r\n'

    tree, origins = load_toml(text, origin_name="app.toml")

    assert tree == {"a": 1, "t": {"b": "x", "c": 2}}
    assert str(origins["t", "c"]) == "app.toml:6:1"


def test_nothing_at_all_is_an_empty_mapping() -> None:
    tree, origins = load_toml("", origin_name="app.toml")

    assert (tree, {path: str(at) for path, at in origins.items()}) == ({}, {(): "app.toml:1:1"})


def test_no_toml_hurts_a_thread_with_a_small_stack() -> None:
    deepest = "a = " + "{a = " * 98 + "1" + "}" * 98
    told: list[object] = []
    before = threading.stack_size(512 * 1024)
    thread = threading.Thread(
        target=lambda: told.extend([load_toml(deepest, origin_name="app.toml"), *map(refusal, NASTY_TEXTS)])
    )

    try:
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()

    assert len(told) == len(NASTY) + 1


@given(document=documents)
def test_what_is_written_loads_back_equal_and_every_leaf_has_its_line(document: dict[str, Any]) -> None:
    text = "\n".join(f"{quoted(key)} = {inline(value)}" for key, value in document.items())

    tree, origins = load_toml(text, origin_name="app.toml")

    assert repr(tree) == repr(document)
    assert set(paths(tree)) == origins.keys()
    order = list(document)
    assert all(order[origins[path].line - 1] == path[0] for path, _ in leaves(tree))


@given(text=st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_noise_is_refused_or_loaded_with_all_its_places(text: str) -> None:
    with contextlib.suppress(SourceFailed):
        tree, origins = load_toml(text, origin_name="app.toml")

        assert set(paths(tree)) == origins.keys()
        json.dumps(tree, allow_nan=False).encode()
