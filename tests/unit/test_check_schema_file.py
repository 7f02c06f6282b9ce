"""Schema files that are refused when the settings are read, each with its line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidSettings
from confbus_publisher.checks.schema import SchemaCheck

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = {
    "no YAML": ("a: [\n", ":2:1", ""),
    "no mapping": ("[]\n", ":1:1", "no mapping"),
    "wrong keyword": ("properties:\n  a:\n    type: text\n", ":3:5", "no valid schema"),
    "wrong dialect": ("$schema: urn:nope\n", ":1:1", "a dialect that is not known"),
    "dialect of a number": ("$schema: 3\n", ":1:1", "a dialect that is not known"),
    "remote": ("properties:\n  a:\n    $ref: https://example.com/s.json\n", ":3:5", "leads out of this file"),
    "file": ("items:\n  $ref: file:///etc/passwd\n", ":2:3", "leads out of this file"),
    "beside": ("properties:\n  a: {$ref: other.json}\n", ":2:7", "leads out of this file"),
    "dynamic": ("$dynamicRef: https://example.com/x\n", ":1:1", "leads out of this file"),
    "dead": ('properties:\n  a: {$ref: "#/$defs/x"}\n', ":2:7", "leads nowhere"),
    "circle": ('$ref: "#"\n', ":1:1", "leads back to itself"),
    "long circle": (
        'allOf: [{$ref: "#/$defs/a"}]\n$defs:\n  a: {if: {$ref: "#/$defs/b"}}\n  b: {not: {$ref: "#/$defs/a"}}\n',
        ":",
        "leads back to itself",
    ),
    "pattern": ("properties:\n  a:\n    pattern: '('\n", ":3:5", "no regular expression"),
    "pattern of keys": ("patternProperties:\n  '[': {}\n", ":2:3", "no regular expression"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_schema_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    text, place, reason = REFUSED[case]
    file = tmp_path / "schema.yaml"
    file.write_text(text)

    with pytest.raises(InvalidSettings) as caught:
        SchemaCheck(file)

    assert str(caught.value).startswith(f"{file}{place}")
    assert reason in caught.value.reason


def test_a_schema_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"the schema is unreadable.*mend checks\.schema"):
        SchemaCheck(tmp_path / "schema.json")


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#"}}},
        {"$id": "https://example.com/s", "$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
        {"$id": "https://example.com/s", "$ref": "t", "$defs": {"a": {"$id": "https://example.com/t"}}},
        {"$ref": "#name", "$defs": {"a": {"$anchor": "name"}}},
        {"properties": {"$ref": {"const": {"$ref": "https://example.com/"}}, "b": {"default": {"$ref": 1}}}},
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {"a": {"$ref": "#/definitions/a/x"}, "b": {}},
        }
        | {"definitions": {"a": {"items": {"$ref": "#/definitions/a"}}}},
    ],
    ids=["recursive", "own id", "inner id", "anchor", "data", "old draft"],
)
def test_what_refers_to_itself_within_the_file_is_fine(tmp_path: Path, schema: object) -> None:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(schema))

    assert SchemaCheck(file).watched == (tmp_path,)
