"""The command line: what checks refuse, what they warn of, and what a pipeline gets of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.shop import Shop

SECRET = "correct-horse"
CHECKS = """\
checks:
  schema: config/schema.yaml
  rules: ["db.port > number", {rule: "number < 5", message: "the number is odd", level: warning}]
  secrets: block
  gates: {types: true}
"""


@pytest.fixture
def checked(shop: Shop) -> Shop:
    """A shop whose configuration is checked in every way, and passes."""
    (shop.directory / "config" / "schema.yaml").write_text(
        "properties: {db: {properties: {host: {type: string}, port: {}}, additionalProperties: false}}\n"
    )
    shop.settle(CHECKS)
    return shop


def test_what_passes_all_checks_is_fine_and_what_was_not_tried_is_said(checked: Shop) -> None:
    answer = checked.confbus("check")

    assert (answer.code, answer.out) == (0, "")
    assert "gates: not tried" in answer.err
    assert "Fine: 3 values in 2 sections from 1 source" in answer.err


def test_everything_that_is_wrong_is_told_with_its_line_and_without_its_value(checked: Shop) -> None:
    checked.write(f"number: 9000\ndb:\n  host: 5\n  prot: 5432\n  port: 1\n  password: {SECRET}\n")

    answer = checked.confbus("check")

    lines = [line for line in answer.out.splitlines() if not line.startswith("  ")]
    assert answer.code == 3
    assert [line.partition(": ")[0] for line in lines] == [
        "config/app.yaml:3:3",
        "config/app.yaml:4:3",
        "config/app.yaml:5:3",
        "config/app.yaml:6:3",
        "config/app.yaml:6:3",
        "warning",
    ]
    assert "Did you mean 'port'?" in answer.out
    assert "warning: config/app.yaml:1:1: number: the number is odd." in answer.out
    assert SECRET not in answer.out + answer.err


def test_warnings_alone_are_shown_and_no_failure(checked: Shop) -> None:
    checked.write("number: 7\ndb: {host: a, port: 5432}\n")

    answer = checked.confbus("check")
    facts = checked.confbus("check", "--output", "json")

    assert answer.code == 0
    assert "the number is odd" in answer.out
    assert "1 warning" in answer.err
    assert facts.code == 0
    assert facts.data["skipped"] == ["gates"]
    assert [(each["level"], each["path"], each["origin"]) for each in facts.data["problems"]] == [
        ("warning", "/number", "config/app.yaml:1:1")
    ]


def test_values_that_are_gone_are_told_at_the_file_they_went_from(checked: Shop) -> None:
    (checked.directory / "config" / "more.yaml").write_text("more: 1\n")
    checked.settle("checks: {gates: {removed: 20%}}", source="config/app.yaml}, {file: config/more.yaml, priority: 1")
    checked.confbus("publish")
    checked.write("number: 1\ndb: {host: a}\n")

    answer = checked.confbus("publish")

    assert answer.code == 3
    assert "config/app.yaml:2:1: db.port: 1 of 4 values are gone, more than 20%" in answer.err


def test_a_schema_that_is_none_is_told_with_its_line(checked: Shop) -> None:
    (checked.directory / "config" / "schema.yaml").write_text("properties:\n  db: {$ref: https://example.com/}\n")

    answer = checked.confbus("check")

    assert answer.code == 3
    assert "config/schema.yaml:2:8: the reference leads out of this file" in answer.out


def test_a_publish_is_refused_with_a_line_for_each_error(checked: Shop) -> None:
    checked.write(f"number: 1\ndb: {{host: 5, port: 5432, password: {SECRET}}}\n")

    answer = checked.confbus("publish", "--force")

    assert answer.code == 3
    assert answer.err.count("config/app.yaml:2:") == 3
    assert SECRET not in answer.err
    assert checked.confbus("history", "--output", "json").data["releases"] == []


def test_a_gate_holds_a_publish_back_and_names_the_line_to_type(checked: Shop) -> None:
    assert checked.confbus("publish").code == 0
    checked.write("number: 1\ndb: {host: a, port: {tcp: 5432}}\n")
    checked.settle("checks: {gates: {types: true}}")

    answer = checked.confbus("publish")

    assert answer.code == 3
    assert "db.port: it was a whole number, and is a mapping now" in answer.err
    assert "confbus approve " in answer.err


def test_the_line_that_a_gate_names_lets_just_that_document_out_once(checked: Shop) -> None:
    checked.settle("checks: {gates: {types: true}}")
    checked.confbus("publish")
    checked.write("number: one\ndb: {host: a, port: 5432}\n")
    line = re.search(r"confbus (approve \w+ -m) ", checked.confbus("publish").err)

    assert line
    approved = checked.confbus(*line[1].split(), "the number is a word now")
    published = checked.confbus("publish")
    checked.write("number: 1\ndb: {host: a, port: 5432}\n")
    back = checked.confbus("publish")
    checked.confbus(*re.findall(r"approve \w+ -m", back.err)[0].split(), "and back")
    checked.confbus("publish")
    checked.write("number: one\ndb: {host: a, port: 5432}\n")
    again = checked.confbus("publish")

    assert (approved.code, published.code, back.code, again.code) == (0, 0, 3, 3)
    assert checked.confbus("status", "--output", "json").data["approvals"] == []


def test_a_publish_tells_what_it_was_warned_of(checked: Shop) -> None:
    checked.write("number: 7\ndb: {host: a, port: 5432}\n")

    told = checked.confbus("publish")
    facts = checked.confbus("publish", "--output", "json").data

    assert told.code == 0
    assert "warning: config/app.yaml:1:1: number: the number is odd." in told.err
    assert len(facts["warnings"]) == 1


def test_warnings_of_the_active_publisher_are_in_the_status(checked: Shop) -> None:
    checked.write("number: 7\ndb: {host: a, port: 5432}\n")

    with checked.start("run") as running:
        running.says("published with a warning", "the number is odd")
        running.says("published version 1")
        text, facts = checked.confbus("status").out, checked.confbus("status", "--output", "json").data

    assert "the number is odd" in text
    assert len(facts["warnings"]) == 1
