"""The YAML loader against PyYAML's dumper, JSON, and noise."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import SourceFailed
from confbus.wire import reference
from confbus.wire.path import leaves
from confbus_publisher.formats.yaml import load_yaml

# YAML knows no control characters, and folds lines at two more characters than JSON does.
TEXTS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20)
# The dumper writes YAML 1.1: what only 1.2 takes for a number, it leaves unquoted.
DUMPED_TEXTS = TEXTS.filter(lambda text: text[:1] not in set("+-.0123456789"))
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PIECES = [
    *("a", "b: ", ": ", "\n", "\n  ", "- ", "[", "]", "{", "}", ", ", "'", '"', "| ", "> ", "# ", "? ", "\t"),
    *("&x ", "*x", "<<: *x", "!!int ", "!y ", "%YAML 1.2\n", "---\n", "...\n", "1", "0x1F", "~", "\\ud800", "\x00"),
]


def documents(texts: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    keys = texts.filter(lambda text: text != reference.KEY)
    values: st.SearchStrategy[Any] = st.recursive(
        st.none() | st.booleans() | NUMBERS | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )
    return st.dictionaries(keys, values, max_size=4)


@given(document=documents(DUMPED_TEXTS), flow=st.sampled_from([True, False, None]))
def test_what_pyyaml_dumps_loads_back_equal(*, document: dict[str, Any], flow: bool | None) -> None:
    text = yaml.safe_dump(document, default_flow_style=flow, allow_unicode=True)

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert tree == document
    assert json.dumps(tree, sort_keys=True) == json.dumps(document, sort_keys=True)


@given(document=documents(TEXTS), indent=st.sampled_from([None, 2]))
def test_what_json_dumps_loads_back_equal(document: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=indent)

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert repr(tree) == repr(document)


@given(document=documents(TEXTS))
def test_every_leaf_has_a_place(document: dict[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=1)

    tree, origins = load_yaml(text, origin_name="app.yaml")

    lines = text.splitlines()
    for path, _ in leaves(tree):
        assert lines[origins[path].line - 1].lstrip().startswith(json.dumps(path[-1], ensure_ascii=False))


@given(text=st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_noise_is_refused_or_loaded_and_nothing_else(text: str) -> None:
    with contextlib.suppress(SourceFailed):
        tree, origins = load_yaml(text, origin_name="app.yaml")

        assert {path for path, _ in leaves(tree)} <= origins.keys()
        json.dumps(tree, allow_nan=False).encode()
