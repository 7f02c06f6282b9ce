"""What a JSON Schema knows at a path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.wire.path import parse
from confbus_publisher.shape import Shape

SCHEMA: dict[str, Any] = {
    "$defs": {
        "Pool": {"properties": {"min_size": {"type": "integer"}, "next": {"$ref": "#/$defs/Pool"}}},
        "a/b ~c": {"type": "boolean"},
        "Port": {"$anchor": "port", "type": ["integer", "null"]},
    },
    "type": "object",
    "properties": {
        "pool": {"$ref": "#/$defs/Pool"},
        "hosts": {"type": "array", "items": {"type": "string"}},
        "pair": {"prefixItems": [{"type": "integer"}], "items": {"type": "boolean"}},
        "old_pair": {"items": [{"type": "integer"}], "additionalItems": {"type": "boolean"}},
        "mode": {"enum": ["fast", 1, None]},
        "level": {"const": 0.5},
        "maybe": {"anyOf": [{"type": "string"}, {"properties": {"inner": {"type": "number"}}}]},
        "escaped": {"$ref": "#/$defs/a~1b%20~0c"},
        "port": {"$ref": "#port"},
        "labels": {"additionalProperties": {"type": "string"}},
        "anything": {"additionalProperties": True},
        "matched": {"patternProperties": {"^x_": {"type": "integer"}, "[": {"type": "null"}}},
        "lost": {"$ref": "#/nowhere/0"},
        "remote": {"$ref": "https://example.com/schema.json"},
        "closed": False,
    },
    "allOf": [{"properties": {"region": {"type": "string"}}}],
    "if": {"properties": {"mode": {"const": "fast"}}},
    "then": {"properties": {"cache": {"type": "boolean"}}},
}


@pytest.mark.parametrize(
    ("path", "types"),
    [
        ("", {"object"}),
        ("pool.min_size", {"integer"}),
        ("pool.next.next.next.min_size", {"integer"}),
        ("hosts", {"array"}),
        ("hosts[7]", {"string"}),
        ("pair[0]", {"integer"}),
        ("pair[1]", {"boolean"}),
        ("old_pair[0]", {"integer"}),
        ("old_pair[1]", {"boolean"}),
        ("mode", {"string", "integer", "null"}),
        ("level", {"number"}),
        ("maybe", {"string"}),
        ("maybe.inner", {"number"}),
        ("escaped", {"boolean"}),
        ("port", {"integer", "null"}),
        ("labels.team", {"string"}),
        ("matched.x_1", {"integer"}),
        ("region", {"string"}),
        ("cache", {"boolean"}),
        ("nothing", set[str]()),
    ],
)
def test_the_types_at_a_path_are_those_that_any_part_of_the_schema_allows(path: str, types: set[str]) -> None:
    shape = Shape(SCHEMA)

    assert shape.types(parse(path)) == types


@pytest.mark.parametrize(
    ("path", "is_known"),
    [
        ("pool", True),
        ("pool.next", True),
        ("pool.maximum", False),
        ("labels.any", True),
        ("labels.any.deeper", False),
        ("anything.at_all", False),
        ("matched.x_1", True),
        ("matched.y_1", False),
        ("remote", True),
        ("remote.inner", False),
        ("lost.inner", False),
        ("closed", False),
    ],
)
def test_a_path_is_known_when_the_schema_says_something_about_it(path: str, is_known: bool) -> None:
    shape = Shape(SCHEMA)

    assert shape.has(parse(path)) is is_known


def test_keys_are_the_named_properties_of_all_parts() -> None:
    shape = Shape(SCHEMA)

    assert shape.keys(("pool",)) == {"min_size", "next"}
    assert {"region", "cache", "pool"} <= shape.keys(())
    assert shape.keys(("labels",)) == frozenset()
    assert [shape.has_free_keys(parse(path)) for path in ("labels", "matched", "anything")] == [True, True, False]


def test_references_in_a_circle_end() -> None:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}}

    shape = Shape(schema)

    assert shape.types(()) == frozenset()
    assert not shape.has(("x",))


words = st.sampled_from(
    [
        *("$ref", "#", "#/properties", "#/anyOf/0", "#x", "properties", "patternProperties", "additionalProperties"),
        *(
            "anyOf",
            "allOf",
            "items",
            "prefixItems",
            "type",
            "enum",
            "const",
            "string",
            "a",
            "[",
            "then",
            "$anchor",
            "x",
        ),
    ]
)
schemas = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@given(schema=st.dictionaries(words, schemas, max_size=4), path=st.lists(words | st.integers(0, 2), max_size=4))
def test_whatever_a_schema_holds_it_can_be_asked(schema: dict[str, Any], path: list[str | int]) -> None:
    shape = Shape(schema)

    known = shape.has(tuple(path))
    types = shape.types(tuple(path))

    assert known or not types
