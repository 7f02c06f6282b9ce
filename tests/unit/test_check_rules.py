"""Rules in CEL: true for a document that is right, a clear problem for all else, and always an end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confbus.errors import InvalidSettings
from confbus_publisher.checks import Problem, run_checks
from confbus_publisher.checks.cel import CelCheck
from confbus_publisher.checks.cel_process import evaluate
from confbus_publisher.checks.expression import paths_read
from confbus_publisher.checks.rule import Rule
from support.candidates import candidate
from support.scale import scaled

SECRET = "hunter2-hunter2"
TREE: dict[str, Any] = {
    "pool": {"min": 5, "max": 3, "ratio": 0.5},
    "hosts": ["a", "b"],
    "password": SECRET,
    "no-name": {"x": 1},
    "large": 2**64 - 1,
    "nothing": None,
}


def problems(*texts: str, deadline_s: float = 5.0) -> tuple[Problem, ...]:
    rules = [Rule(text=text, origin="confbus.yaml:7:5") for text in texts]
    return run_checks([CelCheck(rules, deadline_s=deadline_s)], candidate(TREE))


def test_what_holds_is_no_problem() -> None:
    found = problems(
        "pool.min >= pool.max",
        "size(hosts) == 2 && hosts.all(host, host != '')",
        "pool.ratio < 1 && large > 10",
        'document["no-name"].x == 1',
        "!has(document.cache) || document.cache.size > 1",
        "nothing == null",
        "hosts.exists(h, h.matches('^[a-z]$'))",
    )

    assert found == ()


TOLD = {
    "pool.min <= pool.max": ("pool.min", "does not hold", "It also reads pool.max (app.yaml:pool.max)"),
    "pool.mix > 1": ("", "reads pool.mix, which is missing", "Did you mean pool.min?"),
    "cache.size > 1": ("", "reads cache.size, which is missing", "has(document.…)"),
    "document.poll.min > 1": ("", "reads poll.min, which is missing", "Did you mean pool?"),
    "password > 1": ("password", "compares what cannot be compared", "password is a string"),
    "hosts[7] == 'a'": ("", "reads hosts[7], which is missing", ""),
    "pool.min / 0 > 1": ("pool.min", "divides by zero", ""),
    "pool.min": ("pool.min", "gives a int, no true or false", ""),
    "password": ("password", "gives a str, no true or false", ""),
    "nosuch(pool.min)": ("pool.min", "could not be evaluated", "misspelt function"),
    "int(password) > 1": ("password", "could not be evaluated", ""),
    "pool[password] == 1": ("pool", "reads a key that is missing", ""),
    "false": ("", "does not hold", ""),
}


@pytest.fixture(scope="module")
def told() -> dict[str, Problem]:
    """All of them in one process, which is faster; by the text of the rule."""
    return {problem.rule: problem for problem in problems(*TOLD)}


@pytest.mark.parametrize("rule", TOLD)
def test_what_does_not_hold_is_told_with_places_and_without_values(told: dict[str, Problem], rule: str) -> None:
    path, message, advice = TOLD[rule]

    found = told[rule]

    assert found.headline.split(": ")[1] == (path or "the document")
    assert message in found.message
    assert advice in found.advice
    assert "confbus.yaml:7:5" in found.advice
    assert SECRET not in repr(found)


def test_one_rule_that_fails_hides_no_other() -> None:
    assert len(problems("false", "pool.mix > 1", "true", "pool.min < 1")) == 3


def test_a_rule_may_have_its_own_words_and_only_warn() -> None:
    rule = Rule(text="pool.min <= pool.max", message="the pool is upside down", is_error=False)

    [found] = run_checks([CelCheck([rule])], candidate(TREE))

    assert found.message == "the pool is upside down"
    assert not found.is_error


@pytest.mark.parametrize("text", ["pool.min <=", "((((", "a b", "x" * 2001, "'", "(" * 900])
def test_what_is_no_rule_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^confbus.yaml:7:5: "):
        CelCheck([Rule(text=text, origin="confbus.yaml:7:5")])


ENDLESS = "size(many.map(a, many.map(b, many.map(c, many.map(d, a + b + c + d))))) == 0"
"""With a hundred entries: 100,000,000 texts."""


@pytest.mark.slow
def test_a_rule_without_end_is_ended_and_named() -> None:
    tree = {"many": [str(number) for number in range(100)]}
    check = CelCheck([Rule(text=text) for text in ("false", ENDLESS, "true")], deadline_s=0.4)

    found = run_checks([check], candidate(tree))

    assert sorted(problem.message.partition("' ")[2] for problem in found) == [
        "did not come to an end within 0.4 s and 1 GiB",
        "does not hold",
        "was not tried, since one before it did not end",
    ]


@pytest.mark.slow
def test_a_rule_that_takes_all_memory_ends_alone() -> None:
    tree = {"many": ["x" * 20_000] * 100}

    verdicts = evaluate(["true", ENDLESS], tree, deadline_s=30.0, memory_bytes=100 * 1024 * 1024)

    assert [verdict.word for verdict in verdicts] == ["fine", "ended"]


@pytest.mark.parametrize(
    ("rule", "paths"),
    [
        ("pool.min <= pool.max", [("pool", "min"), ("pool", "max")]),
        ('document["a.b"].c[0] == "d.e"', [("a.b", "c", 0)]),
        ("hosts.all(h, h.port > limits.port)", [("hosts",), ("limits", "port")]),
        ("has(pool.x) && size(hosts) > 1", [("pool", "x"), ("hosts",)]),
        ("name.startsWith('pool.min')", [("name",)]),
        ("f(x.y).z", [("x", "y")]),
        ("document", []),
    ],
)
def test_the_paths_that_a_rule_reads_are_found_in_its_text(rule: str, paths: list[Any]) -> None:
    assert paths_read(rule) == paths


TOKENS = [
    "pool",
    ".min",
    "hosts",
    "[0]",
    "document",
    "password",
    "&&",
    "==",
    "+",
    "(",
    ")",
    "!",
    "1",
    "'x'",
    "has",
    ",",
    ".all(h, h == password)",
    ".map(h, h)",
    "size",
    "[password]",
    "null",
    "?",
    ":",
    "{",
    "}",
    "in",
    "\\",
    "\x00",
    "é",
]


@pytest.mark.slow
@given(st.lists(st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join), min_size=20, max_size=40))
@settings(max_examples=scaled(test=10, soak=300))
def test_whatever_is_written_as_a_rule_gets_a_verdict_and_tells_no_value(texts: list[str]) -> None:
    compiled = evaluate(texts, None)
    rules = [text for text, verdict in zip(texts, compiled, strict=True) if verdict.word == "fine" and text.strip()]

    found = run_checks([CelCheck([Rule(text=text) for text in rules])], candidate(TREE)) if rules else ()

    assert len(compiled) == len(texts)
    assert SECRET not in repr(found)
    assert "untried" not in {verdict.word for verdict in compiled}
