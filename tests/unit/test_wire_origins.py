"""Where the values of a release were written."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import Malformed
from confbus.wire import codec, origins
from confbus.wire.origins import DELETES, JOINED, LOSES, WINS, Origins, Place, trace
from confbus.wire.path import parse

FACTS: dict[str, Any] = {"source": "s", "priority": 0, "kind": "f", "file": "", "deletes": [], "joined": []}


def layer(source: str, *paths: str, **more: Any) -> Origins:
    return Origins(source=source, priority=0, kind="file", places={path: f"{source}:{path}" for path in paths}, **more)


def effects(layers: list[Origins], path: str) -> list[tuple[str, str]]:
    return [(each.source, each.effect) for each in trace(layers, parse(path))]


def test_the_uppermost_wins_and_all_below_lose() -> None:
    layers = [layer("low", "/a/b", "/a/c"), layer("middle", "/a/c"), layer("high", "/a/b")]

    assert effects(layers, "a.b") == [("high", WINS), ("low", LOSES)]
    assert effects(layers, "a.c") == [("middle", WINS), ("low", LOSES)]
    assert effects(layers, "a.d") == []
    assert trace(layers, ("a", "b"))[0].place == "high:/a/b"


def test_what_stands_in_a_list_is_where_the_list_is() -> None:
    layers = [layer("low", "/hosts")]

    assert effects(layers, "hosts[3].name") == [("low", WINS)]


def test_an_empty_mapping_gives_no_key_of_those_that_others_give_there() -> None:
    layers = [layer("low", "/a/b"), layer("empty", "/a")]

    assert effects(layers, "a.b") == [("low", WINS)]


def test_lists_that_were_joined_all_count_down_to_the_one_that_was_not_lengthened() -> None:
    joined = frozenset({"/hosts"})
    layers = [layer("lost", "/hosts"), layer("base", "/hosts"), layer("more", "/hosts", joined=joined)]

    assert effects(layers, "hosts") == [("more", JOINED), ("base", JOINED), ("lost", LOSES)]


def test_what_a_layer_deletes_has_lost_whoever_gave_it() -> None:
    gone = frozenset({"/a"})
    layers = [layer("low", "/a/b"), layer("cut", deletes=gone), layer("high", "/a/c"), layer("top", "/a/d")]

    assert effects(layers, "a.b") == [("cut", DELETES), ("low", LOSES)]
    assert effects(layers, "a.c") == [("high", WINS), ("cut", DELETES)]
    assert effects([layer("low", "/a/b"), layer("both", "/a/b", deletes=gone)], "a.b") == [
        ("both", WINS),
        ("low", LOSES),
    ]


PLACES = st.text(max_size=5) | st.tuples(st.integers(1, 10**6), st.integers(1, 10**6))


@given(places=st.dictionaries(st.text(max_size=5), PLACES, max_size=4), source=st.text(max_size=3))
def test_origins_come_back_as_they_were(places: dict[str, Place], source: str) -> None:
    written = Origins(source=source, priority=-1, kind="env", places=places, file="x", deletes=frozenset(places))

    assert origins.decode(written.encode()) == written


def test_a_line_is_told_with_the_file_of_the_layer() -> None:
    lines = Origins(source="s", priority=0, kind="file", places={"/a": (14, 3), "/b": "$B"}, file="app.yaml")

    assert [trace([lines], (key,))[0].place for key in "ab"] == ["app.yaml:14:3", "$B"]


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"no zlib",
        zlib.compress(b"\xc1"),
        zlib.compress(codec.pack(["a list"])),
        zlib.compress(codec.pack({"source": "s", "priority": 0, "kind": "file", "file": "", "places": ["a"]})),
        zlib.compress(codec.pack({**FACTS, "places": {"/a": [1]}})),
        zlib.compress(codec.pack({**FACTS, "places": {"/a": [1, "x"]}})),
        zlib.compress(codec.pack({"source": "s", "priority": "x", "kind": "f", "places": {}})),
        layer("s", "/a").encode()[:-3],
        zlib.compress(bytes(65 * 1024 * 1024)),
    ],
    ids=[
        "nothing",
        "noise",
        "no msgpack",
        "a list",
        "places",
        "a line alone",
        "no column",
        "priority",
        "half",
        "a bomb",
    ],
)
def test_what_no_publisher_writes_is_refused(blob: bytes) -> None:
    with pytest.raises(Malformed, match="the origins of a layer"):
        origins.decode(blob)
