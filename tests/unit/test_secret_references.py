"""Secret references in sources, and on their way through merge, expansion and checks: always one leaf."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidDocument, SourceFailed
from confbus.wire.frozen import Reference, freeze
from confbus_publisher.checks import run_checks
from confbus_publisher.checks.cel import CelCheck
from confbus_publisher.checks.gates import Gates, GatesCheck
from confbus_publisher.checks.references import ReferenceCheck
from confbus_publisher.checks.rule import Rule
from confbus_publisher.checks.schema import SchemaCheck
from confbus_publisher.cli.values import brief, visible
from confbus_publisher.expansion.expander import Expander
from confbus_publisher.formats.format import load
from confbus_publisher.formats.tree import conform
from confbus_publisher.layer import Layer
from confbus_publisher.merge import conflicts, merge
from confbus_publisher.origin import Origin
from confbus_publisher.overrides.override import Override, parse
from support.candidates import candidate

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = Reference("env:DB_PASSWORD")

TEXTS = {
    "tag": ("yaml", "database:\n  password: !secret env:DB_PASSWORD\n"),
    "quoted": ("yaml", 'database:\n  password: !secret "env:DB_PASSWORD"\n'),
    "anchored": ("yaml", "x: &p !secret env:DB_PASSWORD\ndatabase:\n  password: *p\n"),
    "mapping": ("yaml", "database:\n  password: {$secret: env:DB_PASSWORD}\n"),
    "json": ("json", '{"database":\n  {"password": {"$secret": "env:DB_PASSWORD"}}}'),
    "escaped": ("json", '{"database":\n  {"password": {"\\u0024secret": "env:DB_PASSWORD"}}}'),
    "toml": ("toml", '[database]\npassword = {"$secret" = "env:DB_PASSWORD"}\n'),
    "toml table": ("toml", '[database]\n[database.password]\n"$secret" = "env:DB_PASSWORD"\n'),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_reference_is_written_in_any_format_and_has_the_place_of_its_key(case: str) -> None:
    format_name, text = TEXTS[case]

    tree, origins = load(text, format_name=format_name, origin_name="app")

    assert tree["database"] == {"password": PASSWORD}
    assert {path for path in origins if path[:1] == ("database",)} == {("database",), ("database", "password")}
    assert origins["database", "password"].line in {2, 3}


def test_a_reference_may_stand_in_a_list() -> None:
    yaml, _ = load("tokens: [!secret env:A, x, {$secret: env:B}]", format_name="yaml", origin_name="app")
    plain, _ = load(
        '{"tokens": [{"$secret": "env:A"}, "x", {"$secret": "env:B"}]}', format_name="json", origin_name="x"
    )

    assert yaml["tokens"] == plain["tokens"] == [Reference("env:A"), "x", Reference("env:B")]


BAD = {
    "scheme": ("yaml", "a: 1\npassword: !secret op:x/y", "app:2:11"),
    "nothing": ("yaml", "a: 1\npassword: !secret", "app:2:11"),
    "variable": ("yaml", "a: 1\npassword: !secret env:A-B", "app:2:11"),
    "a mapping": ("yaml", "a: 1\npassword: !secret {env: X}", "app:2:11"),
    "a list": ("yaml", "a: 1\npassword: !secret [x]", "app:2:11"),
    "others beside": ("yaml", "a: 1\npassword: {$secret: env:X, b: 1}", "app:2:11"),
    "no text": ("yaml", "a: 1\npassword: {$secret: 5}", "app:2:11"),
    "whole": ("yaml", "$secret: env:X", "app:1:1"),
    "json": ("json", '{"a": 1,\n "password": {"$secret": "x"}}', "app:2:2"),
    "json whole": ("json", '{"$secret": "env:X"}', "app:1:1"),
    "json in a list": ("json", '{"a": 1,\n "b": [{"$secret": "x"}]}', "app:2:2"),
    "json beside": ("json", '{"a": 1,\n "b": {"$secret": "env:X", "c": 1}}', "app:2:2"),
    "toml": ("toml", 'a = 1\nb = {"$secret" = "file:x"}', "app:2:1"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_reference_is_refused_with_its_place(case: str) -> None:
    format_name, text, place = BAD[case]

    with pytest.raises(SourceFailed) as caught:
        load(text, format_name=format_name, origin_name="app")

    assert caught.value.origin == place


def test_a_secret_that_was_written_where_its_reference_should_be_is_not_repeated() -> None:
    with pytest.raises(SourceFailed) as caught:
        load("password: !secret hunter2:hunter3", format_name="yaml", origin_name="app")

    assert "hunter" not in str(caught.value)


def test_values_from_python_may_hold_references_in_both_spellings() -> None:
    tree = conform({"a": PASSWORD, "b": {"$secret": "env:DB_PASSWORD"}, "c": [{"$secret": "env:X"}]}, source="dict")

    assert tree == {"a": PASSWORD, "b": PASSWORD, "c": [Reference("env:X")]}


@pytest.mark.parametrize("value", [Reference("op:x"), {"$secret": "op:x"}, {"$secret": None}])
def test_values_from_python_with_a_fault_are_refused_with_their_path(value: Any) -> None:
    with pytest.raises(InvalidDocument) as caught:
        conform({"a": {"b": value}}, source="dict")

    assert caught.value.path == "a.b"


def layer(text: str, *, priority: int = 0) -> Layer:
    tree, origins = load(text, format_name="json", origin_name=f"{priority}.json")
    return Layer(f"{priority}.json", priority, tree, origins, "file", interpolates=True)


def test_a_reference_is_one_leaf_for_the_merge() -> None:
    lower = layer('{"database": {"password": {"$secret": "env:OLD"}, "port": 1}, "token": "x"}')
    upper = layer(
        '{"database": {"password": {"$secret": "env:DB_PASSWORD"}}, "token": {"$secret": "env:T"}}', priority=1
    )

    merged = merge([lower, upper])

    assert merged.tree == {"database": {"password": PASSWORD, "port": 1}, "token": Reference("env:T")}
    assert merged.origin(("database", "password")).file == "1.json"
    assert (merged.replacements, conflicts([lower, upper])) == ((), [])


def expanded(tree: dict[str, Any]) -> Any:
    expander = Expander(variables={})
    return expander.expand(freeze(tree), origin=lambda _path: Origin(source="x"), interpolates=lambda _path: True)


def test_an_interpolation_may_be_a_reference_and_no_part_of_a_text_is_one() -> None:
    alone = expanded({"a": PASSWORD, "b": "${ref:a}"})
    within = expanded({"a": PASSWORD, "b": "x${ref:a}"})

    assert alone.tree["b"] == PASSWORD
    assert "cannot stand within a text" in str(within.errors[0])


def schema(tmp_path: Path, **properties: Any) -> SchemaCheck:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps({"properties": properties, "additionalProperties": False}))
    return SchemaCheck(file)


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "string", "minLength": 8},
        {"type": "integer", "minimum": 5},
        {"enum": ["a", "b"]},
        {"not": {"type": "string"}},
        {"anyOf": [{"type": "null"}, {"type": "string", "pattern": "x"}]},
        {"oneOf": [{"type": "string"}, {"type": "null"}]},
        {"$ref": "#/properties/other"},
    ],
    ids=str,
)
def test_a_schema_lets_a_reference_stand_for_what_it_asks_for(tmp_path: Path, asked: dict[str, Any]) -> None:
    check = schema(tmp_path, password=asked, other={"type": "string"})

    problems = run_checks([check], candidate({"password": PASSWORD, "other": 5}))

    assert [problem.path for problem in problems] == [("other",)]


def test_a_schema_still_knows_which_keys_there_are(tmp_path: Path) -> None:
    check = schema(tmp_path, database={"type": "object", "required": ["host"], "properties": {"password": {}}})

    problems = run_checks([check], candidate({"database": {"password": PASSWORD}, "tokn": PASSWORD}))

    assert {problem.path for problem in problems} == {("database",), ("tokn",)}


def test_a_rule_sees_the_text_of_a_reference() -> None:
    check = CelCheck([Rule(text="size(database.password) > 5", origin="x"), Rule(text="database.port > 5", origin="x")])

    problems = run_checks([check], candidate({"database": {"password": PASSWORD, "port": 1}}))

    assert [problem.path for problem in problems] == [("database", "port")]


def test_no_gate_minds_that_a_reference_takes_the_place_of_a_value() -> None:
    gates = GatesCheck(Gates(types=True))

    there = run_checks([gates], candidate({"a": PASSWORD, "b": 1}, before={"a": 1, "b": 1}))
    back = run_checks([gates], candidate({"a": 1}, before={"a": PASSWORD}))

    assert (there, back) == ((), ())


def test_people_see_the_reference_where_they_would_not_see_the_secret() -> None:
    path = ("database", "password")

    assert visible(path, PASSWORD) == PASSWORD
    assert brief(path, PASSWORD) == "!secret env:DB_PASSWORD"
    assert brief(("x",), freeze({"a": PASSWORD}), most=80) == '{"a": {"$secret": "env:DB_PASSWORD"}}'


@pytest.mark.parametrize(
    ("kind", "interpolates", "errors"),
    [
        ("file", False, []),
        ("env", False, []),
        ("http", False, [("database", "password")]),
        ("vault", False, [("database", "password")]),
        ("http", True, []),
    ],
)
def test_who_writes_a_remote_document_does_not_say_what_workers_read(
    kind: str, errors: list[Any], *, interpolates: bool
) -> None:
    check = ReferenceCheck(lambda _path: interpolates)

    problems = run_checks([check], candidate({"database": {"password": PASSWORD}}, kind=kind))

    assert [problem.path for problem in problems if problem.is_error] == errors


def test_an_override_with_a_reference_is_kept_as_one() -> None:
    override = Override(path=("database", "password"), value=PASSWORD, at_ms=1)

    assert parse(override.name, override.text()) == override
