"""All checks together: everything is told, in order, bounded, and no value of the document with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confbus.errors import ChecksFailed
from confbus_publisher.checks import Candidate, Problem, refuse_errors, run_checks
from confbus_publisher.checks.cel import CelCheck
from confbus_publisher.checks.check import MOST
from confbus_publisher.checks.gates import Gates, GatesCheck
from confbus_publisher.checks.rule import Rule
from confbus_publisher.checks.schema import SchemaCheck
from confbus_publisher.checks.secrets import Mode, SecretCheck
from support.candidates import candidate
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Finding:
    """A check that finds the same problems in any document."""

    needs_head = False

    def __init__(self, *problems: Problem, name: str = "finding") -> None:
        self.name = name
        self._problems = problems

    def __call__(self, candidate: Candidate) -> Iterable[Problem]:  # noqa: ARG002  # whatever it is
        return self._problems


def problem(text: str = "it is wrong", *, origin: str = "", is_error: bool = True) -> Problem:
    return Problem(("a", 0), text, "Mend it.", origin, "rule", is_error)


def test_errors_come_first_and_then_lines_in_their_order() -> None:
    ninth, tenth = problem(origin="app.yaml:9:1"), problem(origin="app.yaml:10:1")
    warning = problem(origin="a.yaml:1:1", is_error=False)

    found = run_checks([Finding(warning, tenth), Finding(ninth)], candidate({}))

    assert found == (ninth, tenth, warning)


def test_what_two_checks_find_alike_is_told_once() -> None:
    assert run_checks([Finding(problem()), Finding(problem())], candidate({})) == (problem(),)


@pytest.mark.parametrize("checks", [1, 3])
def test_however_much_is_wrong_what_is_told_stays_readable(checks: int) -> None:
    many = [Finding(*(problem(f"{n} {k}") for n in range(5000)), name=f"check {k}") for k in range(checks)]

    found = run_checks(many, candidate({}))

    assert len(found) == MOST + 1
    assert "more problems" in found[-1].message
    assert found[-1].is_error


def test_a_problem_tells_place_path_reason_and_advice() -> None:
    told = problem(origin="app.yaml:9:1")

    assert str(told) == "app.yaml:9:1: a[0]: it is wrong. Mend it."
    assert told.fact() == {
        "problem": "app.yaml:9:1: a[0]: it is wrong.",
        "advice": "Mend it.",
        "level": "error",
        "path": "/a/0",
        "origin": "app.yaml:9:1",
        "rule": "rule",
    }


def test_every_error_refuses_and_each_has_a_line() -> None:
    with pytest.raises(ChecksFailed) as caught:
        refuse_errors([problem("one"), problem("two"), problem("three", is_error=False)])

    assert str(caught.value).splitlines() == ["Refused:", "- a[0]: one. Mend it.", "- a[0]: two. Mend it."]


def test_warnings_alone_let_it_pass_and_are_handed_on() -> None:
    assert refuse_errors([problem("one", is_error=False)]) == ("a[0]: one. Mend it.",)


MARK = "v4lue"
KEYS = st.sampled_from(["password", "api_key", "hosts", "pool", "url", "n", "hsots"])
VALUES = st.one_of(
    st.integers(0, 9999),
    st.booleans(),
    st.none(),
    st.sampled_from(["", "gh" + "p_", "://u:", "postgres://ann:", "Bearer ", "-----BEGIN PRIVATE KEY-----"]).map(
        lambda start: f"{start}{MARK * 8}@x"
    ),
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
    ),
    max_size=5,
)
SCHEMA = {
    "additionalProperties": False,
    "required": ["pool"],
    "properties": {
        "password": {"type": "integer"},
        "api_key": {"enum": ["a", "b"]},
        "hosts": {"anyOf": [{"type": "array", "items": {"maxLength": 2}}, {"type": "object", "required": ["n"]}]},
        "pool": {"type": "object", "properties": {"n": {"minimum": 3}}, "unevaluatedProperties": False},
        "url": {"pattern": "^[0-9]*$", "minLength": 500, "not": {"type": "string"}},
        "n": {"oneOf": [{"const": 1}, {"uniqueItems": True, "contains": {"const": 1}}]},
    },
}
RULES = [
    "pool.n > 1",
    "url == n",
    "password.startsWith(url)",
    "hosts.all(h, h == url)",
    "pool[url] == 1",
    "int(url) > 1",
]


def told_of(checks: list[Any], tree: dict[str, Any], before: dict[str, Any]) -> str:
    found = run_checks(checks, candidate(tree, before=before))
    return repr(found) + json.dumps([each.fact() for each in found])


@given(TREES, TREES)
@settings(max_examples=scaled(test=60, soak=5000))
def test_no_check_ever_tells_a_value(tree: dict[str, Any], before: dict[str, Any]) -> None:
    assert MARK not in told_of(_checks, tree, before)


@pytest.mark.slow
@given(TREES)
@settings(max_examples=scaled(test=10, soak=300))
def test_no_rule_ever_tells_a_value(tree: dict[str, Any]) -> None:
    assert MARK not in told_of([CelCheck([Rule(text=text) for text in RULES])], tree, {})


_checks: list[Any] = [SecretCheck(Mode.BLOCK), GatesCheck(Gates(growth=1.1, removed=0.01, types=True))]


@pytest.fixture(scope="module", autouse=True)
def _with_schema(tmp_path_factory: pytest.TempPathFactory) -> None:
    file: Path = tmp_path_factory.mktemp("schema") / "schema.json"
    file.write_text(json.dumps(SCHEMA))
    _checks.append(SchemaCheck(file))
