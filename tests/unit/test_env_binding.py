"""How the environment is read by what the schema and the other sources know."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confbus.errors import SourceFailed
from confbus.wire.frozen import Frozen, freeze
from confbus.wire.path import leaves, parse
from confbus_publisher.shape import Shape
from confbus_publisher.sources import EnvSource
from confbus_publisher.sources.context import Context
from support.scale import scaled

SCHEMA: dict[str, Any] = {
    "properties": {
        "database": {
            "properties": {
                "max_size": {"type": "integer"},
                "password": {"type": "string"},
                "replicaHosts": {"type": "array", "items": {"type": "string"}},
                "timeout": {"type": ["number", "null"]},
            }
        },
        "debug_mode": {"type": "boolean"},
        "a_b": {"properties": {"c": {"type": "string"}}},
        "a": {"properties": {"b_c": {"type": "string"}}},
        "labels": {"additionalProperties": {"type": "string"}},
    }
}
BELOW = {"cache": {"max_age": 5, "ttl": 1.0, "hosts": ["x"], "note": "n", "port": "${PORT:1}"}, "log_level": "info"}


def context(schema: dict[str, Any] | None = None, tree: Any = None) -> Context:
    return Context(None if schema is None else Shape(schema), freeze(tree or {}))


def bound(known: Context, **environ: str) -> list[tuple[Any, Any]]:
    return leaves(EnvSource("APP_", environ=environ).bind(known).tree)


def refusal(known: Context, **environ: str) -> str:
    with pytest.raises(SourceFailed) as caught:
        EnvSource("APP_", environ=environ).bind(known)
    return str(caught.value)


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("APP_DATABASE_MAX_SIZE", "database.max_size"),
        ("APP_DATABASE__MAX_SIZE", "database.max_size"),
        ("APP_DATABASE__MAX__SIZE", "database.max.size"),
        ("APP_DEBUG_MODE", "debug_mode"),
        ("APP_DATABASE_REPLICAHOSTS", "database.replicaHosts"),
        ("APP_DATABASE__REPLICAHOSTS", "database.replicaHosts"),
        ("APP_LABELS_TEAM_NAME", "labels.team_name"),
        ("APP_CACHE_MAX_AGE", "cache.max_age"),
        ("APP_LOG_LEVEL", "log_level"),
        ("APP_NEW_KEY", "new.key"),
        ("APP__NEW_KEY", "new_key"),
    ],
)
def test_a_name_is_read_by_the_schema_then_by_the_other_sources_then_at_each_underscore(
    variable: str, path: str
) -> None:
    known = context(SCHEMA, BELOW)

    [(found, _)] = bound(known, **{variable: "1"})

    assert found == parse(path)


def test_the_schema_goes_before_the_other_sources() -> None:
    known = context({"properties": {"x_y": {"type": "integer"}}}, {"x": {"y": 1}})

    assert bound(known, APP_X_Y="2") == [(("x_y",), 2)]


def test_a_name_with_several_readings_is_refused_with_the_spelling_of_each() -> None:
    told = [
        refusal(context(SCHEMA), APP_A_B_C="hunter2"),
        refusal(context(None, {"a_b": 1, "a": {"b": 2}}), APP_A_B="1"),
    ]

    assert "a.b_c ($APP_A__B_C) or as a_b.c ($APP_A_B__C): all are in the schema" in told[0]
    assert "a.b ($APP_A__B) or as a_b ($APP__A_B): all are in the other sources" in told[1]
    assert "hunter2" not in told[0]


def test_keys_that_differ_in_case_are_told_apart_where_levels_are_marked() -> None:
    known = context(None, {"db": {"Host": 1, "HOST": 2, "host": 3}, "one": {"Two": 4}})

    told = refusal(known, APP_DB_HOST="x")
    lower = bound(known, APP_DB__hOST="1", APP_ONE__TWO="1")
    exact = bound(known, APP_db__Host="1")

    assert "$APP_db__Host" in told
    assert [path for path, _ in lower] == [("db", "host"), ("one", "Two")]
    assert [path for path, _ in exact] == [("db", "Host")]


@pytest.mark.parametrize(
    ("variable", "text", "value", "how"),
    [
        ("APP_DATABASE_MAX_SIZE", "007", 7, "the only reading in the schema; typed integer by the schema"),
        ("APP_DATABASE_PASSWORD", "123", "123", "the only reading in the schema; typed string by the schema"),
        ("APP_DATABASE_REPLICAHOSTS", "1,b", ["1", "b"], "typed array by the schema"),
        ("APP_DATABASE_TIMEOUT", "null", None, "typed null by the schema"),
        ("APP_CACHE_MAX_AGE", "6", 6, "the only reading in the other sources; typed integer like the value"),
        ("APP_CACHE_TTL", "6", 6.0, "typed number like the value that it replaces"),
        ("APP_CACHE_HOSTS", "1,2", ["1", "2"], "typed array like the value that it replaces"),
        ("APP_CACHE_NOTE", "1,2", "1,2", "typed string like the value that it replaces"),
        ("APP_CACHE_PORT", "7", 7, "typed integer by its looks"),
        ("APP_LOG_LEVEL", "true", "true", "typed string like the value that it replaces"),
        ("APP_OTHER_THING", "1.10", "1.10", "each _ separates; typed string by its looks"),
        ("APP__OTHER", "1", 1, "__ separates; typed integer by its looks"),
    ],
)
def test_a_text_is_typed_by_the_schema_then_by_the_value_below_then_by_its_looks(
    variable: str, text: str, value: Any, how: str
) -> None:
    source = EnvSource("APP_", environ={variable: text})

    [(path, found)] = leaves(source.bind(context(SCHEMA, BELOW)).tree)

    assert repr(found) == repr(value)
    assert how in source.how(path)


def test_what_does_not_fit_the_schema_is_refused_by_variable_path_and_type() -> None:
    told = refusal(context(SCHEMA), APP_DATABASE_MAX_SIZE="hunter2")

    assert told.startswith("$APP_DATABASE_MAX_SIZE: it sets database.max_size, but an integer is wanted.")
    assert "hunter2" not in told


def test_the_rule_of_a_mapping_is_that_of_all_below_it() -> None:
    source = EnvSource("APP_", environ={"APP_FLAGS": '{"a": {"b": 1}}'})

    source.load()

    assert source.how(("flags", "a", "b")) == "read as flags: it has no _; typed object by its looks"
    assert source.how(("other",)) == ""


def test_the_layer_is_the_very_same_while_what_the_variables_mean_is_the_same() -> None:
    environ = {"APP_CACHE_MAX_AGE": "6"}
    source = EnvSource("APP_", environ=environ)
    first = source.bind(context(None, BELOW))

    same = source.bind(context(None, {**BELOW, "other": 1}))
    moved = source.bind(context(None, {"other": 1}))
    retyped = source.bind(context(None, {"cache": {"max": {"age": 1.5}}}))
    environ["APP_CACHE_MAX_AGE"] = "7"

    assert same is first
    assert leaves(moved.tree) == [(("cache", "max", "age"), 6)]
    assert retyped is not moved
    assert leaves(source.bind(context(None, BELOW)).tree) == [(("cache", "max_age"), 7)]
    assert leaves(source.load().tree) == [(("cache", "max", "age"), 7)]


@pytest.mark.parametrize("name", ["A_" * 60 + "A", "A_" * 5000 + "A", "_".join("AB" * 12)])
def test_a_name_with_countless_readings_is_refused_soon(name: str) -> None:
    schema: dict[str, Any] = {
        "additionalProperties": {"$ref": "#"},
        "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}},
    }
    narrow: dict[str, Any] = {"patternProperties": {"^[ab_]+$": {"$ref": "#"}}, "properties": {"never": {}}}

    told = [refusal(context(each), **{f"APP_{name}": "1"}) for each in (schema, narrow)]

    assert all("too many levels" in each or "it can be read as" in each for each in told)


def test_dead_ends_without_number_are_given_up() -> None:
    schema = {"patternProperties": {"^[a_]+$": {"$ref": "#"}}, "additionalProperties": False}

    told = refusal(context(schema), **{"APP_" + "A_" * 40 + "B": "1"})

    assert "too many ways" in told


keys = st.sampled_from(["a", "b", "a_b", "A", "B_a", "_a", "a_", "b_a_b"])
trees: st.SearchStrategy[Any] = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(keys, inner, max_size=4), max_leaves=8
)


def schema_of(tree: Any) -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {"type": "integer"}
    return {"properties": {key: schema_of(inner) for key, inner in tree.items()}}  # pyright: ignore[reportUnknownVariableType]


def all_paths(tree: Any) -> set[tuple[str, ...]]:
    """Every path in a tree of mappings."""
    if not isinstance(tree, dict):
        return set()
    return {(key, *rest) for key, inner in tree.items() for rest in (*all_paths(inner), ())}  # pyright: ignore[reportUnknownVariableType]


def brute_force(rest: str, schema: Any, tree: Any) -> set[tuple[str, ...]]:
    """The readings of a name without __, in the words of the rule: every `_` as separator or letter."""
    parts = rest.lower().split("_")
    readings: set[tuple[str, ...]] = set()
    for joints in itertools.product("_.", repeat=len(parts) - 1):
        text = "".join(itertools.chain.from_iterable(zip(parts, [*joints, ""], strict=True)))
        readings.add(tuple(text.split(".")))
    for known in (all_paths(schema), all_paths(tree)):
        matching = {path for path in known if tuple(key.lower() for key in path) in readings}
        if matching:
            return matching
    return {tuple(parts)}


@pytest.mark.slow
@settings(max_examples=scaled(test=150, soak=5_000), deadline=None)
@given(parts=st.lists(st.sampled_from("aAbB"), min_size=1, max_size=6), schema=trees, tree=trees)
def test_a_name_means_what_trying_all_readings_says(parts: list[str], schema: Any, tree: Any) -> None:
    rest = "_".join(parts)
    expected = brute_force(rest, schema, tree)
    known = Context(Shape(schema_of(schema)), Frozen(freeze(tree) if isinstance(tree, dict) else {}))
    source = EnvSource("APP_", environ={f"APP_{rest}": "1"})

    if len(expected) > 1:
        with pytest.raises(SourceFailed, match="it can be read as"):
            source.bind(known)
    else:
        assert {path for path, _ in leaves(source.bind(known).tree)} == expected
