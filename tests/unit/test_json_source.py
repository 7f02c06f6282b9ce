"""JSON as a source: what the standard parser lets through is refused."""

from __future__ import annotations

import contextlib
import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import SourceFailed
from confbus.wire import reference
from confbus.wire.frozen import Frozen, FrozenList
from confbus.wire.path import leaves
from confbus_publisher.formats.json import load_json, read_json

SMALL_STACK = 512 * 1024
NASTY = {
    "trailing comma": ('{\n  "a": 1,\n}', ":", "this is no JSON"),
    "single quotes": ("{'a': 1}", ":1:2", "expecting property name"),
    "comment": ('{"a": 1} // no', ":1:10", "extra data"),
    "nothing": ("", ":1:1", "expecting value"),
    "open string": ('{"a": "x', ":1:7", "unterminated string"),
    "bad escape": ('{"a": "\\x"}', ":1:8", "invalid \\escape"),
    "byte order mark inside": ('{"a": \ufeff1}', ":1:7", "expecting value"),
    "duplicate key": ('{\n "a": 1,\n "b": {},\n "a": 2}', ":4:2", "'a' stands on line 2 already"),
    "duplicate key, escaped": ('{"a": 1,\n"\\u0061": 2}', ":2:1", "'a' stands on line 1 already"),
    "duplicate key in a list": ('{"l": [{"a": 1, "a": 2}]}', ":1:17", "'a' stands on line 1 already"),
    "NaN": ('{"NaN": "NaN",\n "a": NaN}', ":2:7", "NaN and infinity"),
    "infinity": ('{"a": [1, -Infinity]}', ":1:11", "NaN and infinity"),
    "float out of range": ('{"a": 1.5,\n"b": -1e999}', ":2:6", "NaN and infinity"),
    "integer out of range": (f'{{"a": [1, {2**64}]}}', ":1:11", "does not fit in 64 bits"),
    "5,000 digits": (f'{{"a":\n{"9" * 5000}}}', ":2:1", "does not fit in 64 bits"),
    "out of range in a broken text": ('{"a": 1e400-1}', ":1:7", "NaN and infinity"),
    "half a character": ('{"a": 1, "b": "\\ud83d\\ude00\\ud800"}', ":1:15", "half a character"),
    "half a character as key": ('{"\\uD800": 1}', ":1:2", "half a character"),
    "half a character, raw": ('{"a": "\ud800"}', ":1:7", "half a character"),
    "a list on top": ("[1]", ":1:1", "no mapping"),
    "200,000 lists": ("[" * 200_000, ":1:101", "deeper than 100"),
    "200,000 mappings": ('{"a":' * 200_000, ":1:501", "deeper than 100"),
    "quotes without an end": ('"' + '\\"' * 200_000, ":1:1", "unterminated string"),
}
NASTY_TEXTS = [text for text, _, _ in NASTY.values()]


def refusal(text: str) -> str:
    with pytest.raises(SourceFailed) as caught:
        load_json(text, origin_name="app.json")
    return str(caught.value)


@pytest.mark.parametrize("case", NASTY)
def test_nasty_json_is_refused_with_its_place(case: str) -> None:
    text, place, reason = NASTY[case]

    told = refusal(text)

    assert told.startswith(f"app.json{place}")
    assert reason in told


def test_no_json_hurts_a_thread_with_a_small_stack() -> None:
    deepest = '{"a":' * 99 + "[1]" + "}" * 99
    told: list[object] = []
    before = threading.stack_size(SMALL_STACK)
    thread = threading.Thread(
        target=lambda: told.extend([load_json(deepest, origin_name="app.json"), *map(refusal, NASTY_TEXTS)])
    )

    try:
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()

    assert len(told) == len(NASTY) + 1


def test_a_json_error_shows_no_value() -> None:
    texts = ['{"a": hunter2}', '{"a": "hunter2}', '{"a": "hunter2\\x"}', '{"a": "hunter2\\ud800"}', '["hunter2"]']

    told = [refusal(text) for text in texts]

    assert not [line for line in told if "hunter2" in line]


def test_each_leaf_and_mapping_has_the_place_of_its_key() -> None:
    text = '{\n  "db": {"host": "x",\n    "ports": [{"no": 1}], "extra": {}},\n  "a\\"b": null\n}'

    tree, origins = load_json(text, origin_name="app.json")

    assert tree == {"db": {"host": "x", "ports": [{"no": 1}], "extra": {}}, 'a"b': None}
    assert {path: str(origin) for path, origin in origins.items()} == {
        (): "app.json:1:1",
        ("db",): "app.json:2:3",
        ("db", "host"): "app.json:2:10",
        ("db", "ports"): "app.json:3:5",
        ("db", "extra"): "app.json:3:27",
        ('a"b',): "app.json:4:3",
    }


def test_numbers_at_the_edge_of_64_bits_are_kept() -> None:
    text = f'{{"low": {-(2**63)}, "high": {2**64 - 1}, "float": 1e3}}'

    tree, _ = load_json(text, origin_name="app.json")

    assert repr(tree) == repr({"low": -(2**63), "high": 2**64 - 1, "float": 1000.0})


def test_a_single_value_may_be_anything_that_json_has() -> None:
    text = '[1, {"a": []}]'

    value = read_json(text, origin_name="$APP_LIST")

    assert value == [1, {"a": []}]
    assert type(value) is type(value[1]["a"]) is FrozenList
    assert type(value[1]) is Frozen


KEYS = st.text().filter(lambda text: text != reference.KEY)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(
    document=st.dictionaries(KEYS, VALUES, max_size=4),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_what_json_dumps_comes_back_equal_and_placed(
    *, document: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)

    tree, origins = load_json(text, origin_name="app.json")

    assert repr(tree) == repr(document)
    lines = text.split("\n")
    for path, _ in leaves(tree):
        place = origins[path]
        assert lines[place.line - 1][place.column - 1 :].startswith(json.dumps(path[-1], ensure_ascii=ascii_only))


@given(text=st.text(alphabet='{}[]:,"\\u0d8 1e.-9NaInfty\n\ud800', max_size=30))
def test_noise_for_json_is_refused_or_loaded_and_nothing_else(text: str) -> None:
    with contextlib.suppress(SourceFailed):
        tree, origins = load_json(text, origin_name="app.json")

        assert tree == json.loads(text)
        assert {path for path, _ in leaves(tree)} <= origins.keys()
