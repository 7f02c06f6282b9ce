"""The document against a schema: each keyword is told in words, with the place, and without the value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from confbus_publisher.checks import run_checks
from confbus_publisher.checks import schema as schemas
from confbus_publisher.checks.schema import SchemaCheck
from support.candidates import candidate

if TYPE_CHECKING:
    from pathlib import Path

    from confbus_publisher.checks import Problem

SECRET = "hunter2-hunter2"


def problems(directory: Path, schema: Any, tree: dict[str, Any]) -> tuple[Problem, ...]:
    file = directory / "schema.json"
    file.write_text(json.dumps(schema))
    return run_checks([SchemaCheck(file)], candidate(tree))


def of_key(schema: Any) -> Any:
    return {"properties": {"a": schema}}


TOLD: dict[str, tuple[Any, dict[str, Any], str, str]] = {
    "type": (of_key({"type": "integer"}), {"a": SECRET}, "a", "it is a string, and must be a whole number"),
    "types": (of_key({"type": ["array", "null"]}), {"a": SECRET}, "a", "must be a list or null"),
    "null": (of_key({"type": "object"}), {"a": None}, "a", "it is null, and must be a mapping"),
    "boolean": (of_key({"type": "integer"}), {"a": True}, "a", "it is a boolean"),
    "enum": (of_key({"enum": ["x", "y"]}), {"a": SECRET}, "a", 'it must be one of ["x", "y"]'),
    "const": (of_key({"const": 1}), {"a": SECRET}, "a", "it must be 1"),
    "minimum": (of_key({"minimum": 3}), {"a": 2}, "a", "it must be at least 3"),
    "exclusive": (of_key({"exclusiveMaximum": 3}), {"a": 3}, "a", "it must be less than 3"),
    "multiple": (of_key({"multipleOf": 5}), {"a": 3}, "a", "it must be a multiple of 5"),
    "short": (of_key({"minLength": 20}), {"a": SECRET}, "a", "it must have at least 20 characters"),
    "pattern": (of_key({"pattern": "^[0-9]+$"}), {"a": SECRET}, "a", 'it must match the pattern "^[0-9]+$"'),
    "item": (of_key({"items": {"type": "integer"}}), {"a": [1, SECRET]}, "a[1]", "must be a whole number"),
    "unique": (of_key({"uniqueItems": True}), {"a": [SECRET, SECRET]}, "a", "two of its items are the same"),
    "contains": (of_key({"contains": {"const": 1}}), {"a": [SECRET]}, "a", "none of its items"),
    "required": ({"required": ["port"]}, {"a": SECRET}, "the document", "'port' is missing"),
    "dependent": (
        {"dependentRequired": {"a": ["b"]}},
        {"a": SECRET},
        "the document",
        "'b' is missing, which 'a' needs",
    ),
    "unknown": ({"additionalProperties": False, "properties": {"hosts": {}}}, {"hots": SECRET}, "hots", "not known"),
    "unevaluated": (
        {"unevaluatedProperties": False, "allOf": [{"properties": {"b": {}}}]},
        {"b": 1, "a": SECRET},
        "a",
        "the key is not known",
    ),
    "name": ({"propertyNames": {"maxLength": 2}}, {"abc": SECRET}, "abc", "the key itself is wrong"),
    "forbidden": (of_key({"not": {"type": "string"}}), {"a": SECRET}, "a", "it is just what the schema forbids"),
    "false": (of_key(False), {"a": SECRET}, "", "the schema does not allow this"),
    "if": (
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
        {"a": SECRET},
        "the document",
        "'b' is missing",
    ),
    "form by type": (
        of_key({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        {"a": SECRET},
        "a",
        "it is a string, and must be a whole number or null",
    ),
    "nearest form": (
        of_key({"oneOf": [{"type": "integer"}, {"type": "object", "required": ["b"]}]}),
        {"a": {"c": SECRET}},
        "a",
        "'b' is missing",
    ),
    "no form": (of_key({"anyOf": [{"const": 1}, {"const": 2}]}), {"a": SECRET}, "a", "none of the forms"),
    "two forms": (of_key({"oneOf": [{}, True]}), {"a": SECRET}, "a", "more than one of the forms"),
    "old draft": (
        {"$schema": "http://json-schema.org/draft-04/schema#", **of_key({"maximum": 1, "exclusiveMaximum": True})},
        {"a": 1},
        "a",
        "it must be",
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_every_keyword_is_told_in_words_that_hold_no_value(tmp_path: Path, case: str) -> None:
    schema, tree, path, text = TOLD[case]

    found = problems(tmp_path, schema, tree)

    assert len(found) == 1
    assert f"{path}: " in found[0].headline
    assert text in found[0].message
    assert SECRET not in repr(found)
    assert found[0].is_error


def test_what_fits_the_schema_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, of_key({"type": "integer"}), {"a": 1, "b": SECRET}) == ()


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    schema = {"required": ["x"], "properties": {"a": {"type": "integer"}, "b": {"maximum": 1}}}

    found = problems(tmp_path, schema, {"a": SECRET, "b": 2})

    assert [problem.path for problem in found] == [(), ("a",), ("b",)]


def test_an_unknown_key_brings_a_suggestion_and_its_own_place(tmp_path: Path) -> None:
    schema = of_key({"additionalProperties": False, "properties": {"hosts": {}}, "patternProperties": {"^x-": {}}})

    found = problems(tmp_path, schema, {"a": {"hots": 1, "x-y": 2, "zzzzz": 3}})

    assert [(problem.path, problem.origin) for problem in found] == [
        (("a", "hots"), "app.yaml:a.hots"),
        (("a", "zzzzz"), "app.yaml:a.zzzzz"),
    ]
    assert found[0].advice.startswith("Did you mean 'hosts'?")
    assert "Did you mean" not in found[1].advice


def test_the_line_of_the_schema_is_told_also_behind_a_reference(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    file.write_text(
        'properties: {pool: {$ref: "#/$defs/pool"}}\n$defs:\n  pool:\n    properties:\n      size: {maximum: 3}\n'
    )

    found = run_checks([SchemaCheck(file)], candidate({"pool": {"size": 4}}))

    assert f"{file}:5:14" in found[0].advice


def test_a_format_is_a_comment(tmp_path: Path) -> None:
    assert problems(tmp_path, of_key({"format": "email"}), {"a": "no address"}) == ()


def test_an_edit_of_the_schema_counts_from_the_next_check_on(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    file.write_text("maxProperties: 1\n")
    check = SchemaCheck(file)
    before = run_checks([check], candidate({"a": 1, "b": 2}))

    file.write_text("maxProperties: 2\n")
    after = run_checks([check], candidate({"a": 1, "b": 2}))

    assert len(before) == 1
    assert after == ()


@pytest.mark.parametrize("content", ["maxProperties: [\n", "maxProperties: two\n", None])
def test_a_schema_that_breaks_later_lets_nothing_out_and_says_so(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "schema.yaml"
    file.write_text("maxProperties: 1\n")
    check = SchemaCheck(file)

    file.unlink()
    if content is not None:
        file.write_text(content)
    found = run_checks([check], candidate({"a": 1}))

    assert [problem.is_error for problem in found] == [True]
    assert found[0].origin.startswith(str(file))
    file.write_text("maxProperties: 1\n")
    assert run_checks([check], candidate({"a": 1})) == ()


def test_references_that_multiply_come_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "MOST_REFERENCES", 1000)
    steps = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
    schema = {"$ref": "#/$defs/d0", "$defs": {**steps, "d30": {}}}

    found = problems(tmp_path, schema, {"a": 1})

    assert ["too involved" in problem.message for problem in found] == [True]


def test_a_deep_document_is_checked_or_refused_and_never_crashes(tmp_path: Path) -> None:
    tree: Any = 1
    for _ in range(90):
        tree = {"a": tree}
    schema = {"properties": {"a": {"anyOf": [{"type": "integer"}, {"$ref": "#"}]}}}

    found = problems(tmp_path, schema, tree)

    assert found == () or "too involved" in found[0].message
