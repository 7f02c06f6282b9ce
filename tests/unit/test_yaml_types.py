"""What a YAML scalar means: YAML 1.2, so that nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest

from confbus_publisher.formats.yaml import load_yaml

MEANINGS: dict[str, Any] = {
    "NO": "NO",
    "no": "no",
    "on": "on",
    "off": "off",
    "yes": "yes",
    "y": "y",
    "true": True,
    "True": True,
    "FALSE": False,
    "null": None,
    "~": None,
    "": None,
    "NULL": None,
    "nUll": "nUll",
    "0777": 777,
    "0o17": 15,
    "0x1F": 31,
    "0b11": "0b11",
    "+12": 12,
    "-12": -12,
    "1_000": "1_000",
    "12:30:45": "12:30:45",
    "190:20:30": "190:20:30",
    "1e3": 1000.0,
    "1.": 1.0,
    ".5": 0.5,
    "-.5e-2": -0.005,
    "1.2.3": "1.2.3",
    "2024-01-01": "2024-01-01",
    "2024-01-01T00:00:00Z": "2024-01-01T00:00:00Z",
    "=": "=",
    "18446744073709551615": 2**64 - 1,
    "-9223372036854775808": -(2**63),
    "'0777'": "0777",
    '"true"': "true",
    "!!str 0777": "0777",
    "!!str": "",
    "! 12": "12",
    "!!int '0o17'": 15,
    "!!float 5": 5.0,
    "!!bool 'true'": True,
    "!!null ''": None,
    "!!seq [1]": [1],
    "!!map {a: 1}": {"a": 1},
}


@pytest.mark.parametrize("spelling", MEANINGS)
def test_a_scalar_means_what_yaml_1_2_says(spelling: str) -> None:
    text = f"key: {spelling}\n"

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert repr(tree["key"]) == repr(MEANINGS[spelling])


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "---\n...\n", "\ufeff"])
def test_an_empty_document_is_an_empty_mapping(text: str) -> None:
    expected: dict[str, Any] = {}

    tree, origins = load_yaml(text, origin_name="app.yaml")

    assert tree == expected
    assert list(origins) == [()]


def test_keys_are_strings_also_where_yaml_1_1_had_booleans() -> None:
    text = "on: 1\nNO: 2\n'8080': 3\n!!str 9090: 4\n"

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert tree == {"on": 1, "NO": 2, "8080": 3, "9090": 4}


def test_block_scalars_keep_their_line_breaks() -> None:
    text = "script: |\n  one\n  two\nfolded: >-\n  one\n  two\n"

    tree, _ = load_yaml(text, origin_name="app.yaml")

    assert tree == {"script": "one\ntwo\n", "folded": "one two"}
