"""Rules in Python: whatever the function does, there is a problem or there is none, soon."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from confbus_publisher.checks import Problem, run_checks
from confbus_publisher.checks.python_rule import PythonCheck
from confbus_publisher.checks.rule import Rule
from support.candidates import candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "hunter2-hunter2"
TREE: dict[str, Any] = {"pool": {"min": 5}, "password": SECRET, "tokens": [SECRET + "-too"]}
RULE = Rule(text="python:rules:check", origin="confbus.yaml:9:5")


def problems(function: Callable[[Any], Any], *, rule: Rule = RULE) -> tuple[Problem, ...]:
    return run_checks([PythonCheck(function, rule)], candidate(TREE))


def test_a_rule_sees_the_document_that_would_go_out() -> None:
    seen: list[Any] = []

    problems(seen.append)

    assert seen == [TREE]


def test_no_text_of_a_rule_holds_a_value_that_is_sealed() -> None:
    tree = {"db": {"host": "db-1.internal", "port": 54321, "pool": 5}}
    checks = [PythonCheck(lambda seen: f"{seen['db']['host']} {seen['db']['port']} {seen['db']['pool']}", RULE)]

    (problem,) = run_checks(checks, candidate(tree, sealed=["db"]))

    assert problem.message.endswith(": *** *** 5")


@pytest.mark.parametrize("result", [None, True, [], (), iter(())])
def test_nothing_to_say_is_no_problem(result: Any) -> None:
    assert problems(lambda _: result) == ()


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (False, [((), "it does not hold")]),
        ("too small", [((), "too small")]),
        ("", [((), "it does not hold")]),
        (["one", ("pool.min", "two\nlines")], [((), "one"), (("pool", "min"), "two lines")]),
        ([(("pool", "min"), "x")], [(("pool", "min"), "x")]),
        ([("no..path", "x"), ("pool.none", "y")], [((), "x"), (("pool", "none"), "y")]),
        (5, [((), "it raised TypeError")]),
        ([5], [((), "it raised TypeError")]),
        ([("a", "b", "c")], [((), "it raised ValueError")]),
    ],
)
def test_what_a_rule_says_becomes_problems_with_their_paths(result: Any, told: list[Any]) -> None:
    found = problems(lambda _: result)

    assert [problem.path for problem in found] == [path for path, _ in told]
    for problem, (_, text) in zip(found, told, strict=True):
        assert f"python:rules:check says: {text}" in problem.message or "too many values" in problem.message
        assert "confbus.yaml:9:5" in problem.advice


def raising(error: BaseException) -> Callable[[Any], None]:
    def check(_document: Any) -> None:
        raise error

    return check


@pytest.mark.parametrize("error", [ValueError("too small"), AssertionError("too small")])
def test_a_plain_refusal_is_told_in_its_own_words(error: Exception) -> None:
    [found] = problems(raising(error))

    assert "too small" in found.message


@pytest.mark.parametrize(
    "error", [KeyError(SECRET), SystemExit(SECRET), KeyboardInterrupt(), MemoryError(), RecursionError(SECRET)]
)
def test_any_other_exception_is_told_by_type_and_line_alone(error: BaseException) -> None:
    [found] = problems(raising(error))

    assert f"it raised {type(error).__name__} at {__file__}:" in found.message
    assert SECRET not in repr(found)


def test_what_a_rule_found_before_it_failed_is_told_too() -> None:
    def check(_document: Any) -> Iterator[str]:
        yield "first"
        raise KeyError

    assert len(problems(check)) == 2


def test_a_rule_cannot_tell_a_secret() -> None:
    found = problems(lambda document: [f"bad {document['password']}", f"bad {document['tokens'][0]}"])

    assert [problem.message for problem in found] == ["python:rules:check says: bad ***"]
    assert SECRET not in repr(found)


def test_a_rule_cannot_change_the_document() -> None:
    def check(document: Any) -> None:
        document["pool"]["min"] = 1

    [found] = problems(check)

    assert "TypeError" in found.message


def test_a_rule_that_talks_without_end_is_cut_off() -> None:
    def check(_document: Any) -> Iterator[str]:
        while True:
            yield "x" * 10_000

    found = problems(check)

    assert len(found) == 1
    assert len(str(found[0])) < 1000


def test_a_rule_that_hangs_is_told_and_not_started_again_before_it_ends() -> None:
    let_go, starts = threading.Event(), [0]

    def check(_document: Any) -> None:
        starts[0] += 1
        let_go.wait(30)

    rule = PythonCheck(check, RULE, deadline_s=0.05)
    first, second = (run_checks([rule], candidate(TREE)) for _ in range(2))
    started = starts[0]
    let_go.set()
    stuck = [thread for thread in threading.enumerate() if RULE.text in thread.name]
    for thread in stuck:
        thread.join(30)

    assert ["did not answer within 0.05 s" in found[0].message for found in (first, second)] == [True, True]
    assert started == 1
    assert len(run_checks([rule], candidate(TREE))) == 0


def test_the_words_and_the_level_may_stand_in_the_settings() -> None:
    [found] = problems(lambda _: False, rule=Rule(text="python:a:b", message="mind the pool", is_error=False))

    assert (found.message, found.is_error) == ("mind the pool", False)


def test_a_rule_is_called_on_a_thread_that_cannot_hold_the_process() -> None:
    daemons: list[bool] = []

    problems(lambda _: daemons.append(threading.current_thread().daemon))

    assert daemons == [True]
    assert sys.is_finalizing() is False
