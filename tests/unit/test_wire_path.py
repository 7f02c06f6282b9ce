"""The grammar of paths: what text means, what it cannot mean, and what patterns match."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import InvalidPath
from confbus.wire import path as paths
from confbus.wire.path import Pattern
from support.documents import documents, keys

TREE: dict[str, Any] = {"database": {"host": "a", "port": 1}, "hosts": [{"port": 1}, {"port": 2}], "k.d": 1}

any_path = st.lists(keys | st.text() | st.integers(0, 999_999_999), max_size=6).map(tuple)


@given(path=any_path)
def test_every_path_can_be_written_and_read_back(path: paths.Path) -> None:
    text = paths.render(path)

    again = paths.parse(text)

    assert again == path
    assert list(map(type, again)) == list(map(type, path))


@given(document=documents)
def test_every_leaf_is_found_at_its_own_path(document: dict[str, Any]) -> None:
    found = paths.leaves(document)

    texts = [paths.render(path) for path, _ in found]

    assert len(set(texts)) == len(texts)
    for text, (_, value) in zip(texts, found, strict=True):
        assert paths.lookup(document, paths.parse(text)) is value


@given(text=st.text(max_size=12) | st.text('ab.[]"\\*01', max_size=12))
def test_text_is_a_path_or_refused_with_its_column(text: str) -> None:
    path: paths.Path = ()
    refused: InvalidPath | None = None

    try:
        path = paths.parse(text)
    except InvalidPath as error:
        refused = error

    if refused:
        assert 1 <= refused.column <= len(text) + 1
        assert f"column {refused.column}" in str(refused)
    else:
        assert paths.parse(paths.render(path)) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ()),
        ("a.b", ("a", "b")),
        ('a["k.with.dots"]', ("a", "k.with.dots")),
        ("hosts[0].port", ("hosts", 0, "port")),
        ("hosts.0", ("hosts", "0")),
        ('["*"].a', ("*", "a")),
        ('a[""]', ("a", "")),
        (r'["say \"hi\"\n"]', ('say "hi"\n',)),
    ],
)
def test_text_means_these_keys(text: str, path: paths.Path) -> None:
    assert paths.parse(text) == path


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (".a", 1),
        ("a.", 3),
        ("a..b", 3),
        ("a.[0]", 3),
        ("a]", 2),
        ("a[", 2),
        ("a[-1]", 2),
        ("a[x]", 2),
        ("a[²]", 2),
        ('a["b]', 2),
        (r'a["\q"]', 2),
        ('a["b"]c', 7),
        ("a[" + "9" * 5000 + "]", 2),
    ],
)
def test_a_slip_is_refused_at_its_column(text: str, column: int) -> None:
    with pytest.raises(InvalidPath) as caught:
        paths.parse(text)

    assert caught.value.column == column


def test_the_pointer_is_that_of_rfc_6901() -> None:
    pointer = paths.pointer(("a/b", "m~n", 0, "", " "))

    assert pointer == "/a~1b/m~0n/0// "


@pytest.mark.parametrize(
    ("path", "depth"),
    [
        (("nothing",), 0),
        (("database", "port", "x"), 2),
        (("hosts", 2), 1),
        (("hosts", -1), 1),
        (("hosts", "0"), 1),
        (("database", 0), 1),
    ],
)
def test_a_lookup_tells_how_much_of_the_path_exists(path: paths.Path, depth: int) -> None:
    with pytest.raises(KeyError) as caught:
        paths.lookup(TREE, path)

    assert caught.value.args == (depth,)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("databse.host", "database.host"),
        ("databse.nothing", "database"),
        ("database.prt", "database.port"),
        ("database.port.x", "database.port"),
        ("hosts[7]", "hosts[1]"),
        ("hosts.0", "hosts[0]"),
        ("hosts.²", "hosts[1]"),
        ("hosts." + "9" * 5000, "hosts[1]"),
        ("kd", '["k.d"]'),
        ("zzz", ""),
    ],
)
def test_the_nearest_path_is_one_that_exists(text: str, nearest: str) -> None:
    assert paths.nearest(TREE, paths.parse(text)) == nearest


@given(document=documents, path=any_path)
def test_whatever_is_missing_the_suggestion_exists(document: dict[str, Any], path: paths.Path) -> None:
    nearest = paths.nearest(document, path)

    assert paths.lookup(document, paths.parse(nearest)) is not NotImplemented


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("database", "database", True),
        ("database", "database.pool.size", True),
        ("database.pool", "database", False),
        ("data", "database", False),
        ("services.*.port", "services.web.port", True),
        ("services.*.port", "services.port", False),
        ("services.*.port", "services.a.b.port", False),
        ("**.port", "port", True),
        ("**.port", "services.a.b.port", True),
        ("services.**", "services", True),
        ("**", "", True),
        ("*", "", False),
        ("hosts[0]", "hosts[0].port", True),
        ("hosts[0]", "hosts.0", False),
        ("hosts.*", "hosts[3]", True),
        ('["*"]', "a", False),
        ('["*"]', '["*"]', True),
        ('a["**"].b', "a.x.b", False),
    ],
)
def test_a_pattern_matches_what_it_says_and_all_below(pattern: str, path: str, *, matches: bool) -> None:
    assert Pattern(pattern).matches(paths.parse(path)) is matches


@given(path=any_path, below=any_path)
def test_a_path_matches_itself_and_all_below(path: paths.Path, below: paths.Path) -> None:
    pattern = Pattern(paths.render(path).replace("*", "x"))

    whole = tuple(part.replace("*", "x") if isinstance(part, str) else part for part in path)

    assert pattern.matches((*whole, *below))


@pytest.mark.parametrize(
    ("pattern", "path", "touches"),
    [("a.b.c", "a", True), ("a.b.c", "x", False), ("*.c", "a", True), ("**.c", "a", True), ("a.b", "a.b.c", True)],
)
def test_a_pattern_touches_what_it_could_match_below(pattern: str, path: str, *, touches: bool) -> None:
    assert Pattern(pattern).touches(paths.parse(path)) is touches
