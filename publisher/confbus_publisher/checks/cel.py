"""Cross-field rules in CEL: one line in confbus.yaml, true for a document that is right."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings
from confbus.wire.path import lookup, render
from confbus_publisher.checks import cel_process
from confbus_publisher.checks.expression import existing, keys_at, paths_read, variables
from confbus_publisher.checks.problem import Problem
from confbus_publisher.checks.schema_message import type_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from confbus.wire.path import Path
    from confbus_publisher.checks.candidate import Candidate
    from confbus_publisher.checks.cel_process import Verdict
    from confbus_publisher.checks.rule import Rule

MOST_CHARACTERS = 2000
_SHOWN = 120


class CelCheck:
    """Evaluates all rules in one short-lived process.

    Raises `InvalidSettings` with the place of a rule that is no CEL. Top-level keys are variables; `document` is the
    whole document. All rules together have `deadline_s` and 1 GiB.
    """

    name = "rules"
    needs_head = False

    def __init__(self, rules: Sequence[Rule], *, deadline_s: float = cel_process.DEADLINE_S) -> None:
        self._rules = tuple(rules)
        self._deadline_s = deadline_s
        for rule in rules:
            if len(rule.text) > MOST_CHARACTERS:
                advice = "Split it, or write it in Python."
                raise InvalidSettings(rule.origin, f"a rule has at most {MOST_CHARACTERS} characters", advice=advice)
        texts = [rule.text for rule in self._rules]
        for rule, verdict in zip(self._rules, cel_process.evaluate(texts, None, deadline_s=deadline_s), strict=True):
            if verdict.word != "fine":
                at = f" at column {verdict.position}" if verdict.position else ""
                advice = "Write an expression such as pool.min <= pool.max, or python:module:function."
                raise InvalidSettings(rule.origin, f"the rule is no CEL{at}", advice=advice)

    def __call__(self, candidate: Candidate) -> Iterator[Problem]:
        document: dict[str, Any] = {}
        for rule in self._rules:
            document |= variables(rule.text, candidate.tree)
        texts = [rule.text for rule in self._rules]
        verdicts = cel_process.evaluate(texts, document, deadline_s=self._deadline_s)
        for rule, verdict in zip(self._rules, verdicts, strict=True):
            if verdict.word != "fine":
                yield self._problem(rule, verdict, candidate)

    def _problem(self, rule: Rule, verdict: Verdict, candidate: Candidate) -> Problem:
        read = paths_read(rule.text)
        there = [path for path in read if existing(candidate.tree, path) == path]
        shown = rule.text if len(rule.text) <= _SHOWN else rule.text[: _SHOWN - 1] + "…"
        message, advice = self._told(rule, verdict, read, candidate)
        if verdict.word != "fails" or not rule.message:
            message = f"the rule {shown!r} {message}"
        place = candidate.place(there[0]) if there else candidate.place(())
        path = there[0] if there else ()
        others = [f"{render(each)} ({candidate.place(each)})" for each in there[1:4]]
        reads = f" It also reads {', '.join(others)}." if others else ""
        source = f" The rule stands at {rule.origin}." if rule.origin else ""
        return Problem(path, message, f"{advice}{reads}{source}".strip(), place, rule.text, rule.is_error)

    def _told(self, rule: Rule, verdict: Verdict, read: Sequence[Path], candidate: Candidate) -> tuple[str, str]:
        """What became of the rule, and what to do. The exceptions of CEL hold values, so only their type is used."""
        tree = candidate.tree
        if verdict.word == "fails":
            return rule.message or "does not hold", ""
        if verdict.word == "no answer":
            return f"gives a {verdict.detail}, no true or false", "Compare it with something."
        if verdict.word == "ended":
            limits = f"{self._deadline_s:g} s and {cel_process.MEMORY_BYTES // 1024**3} GiB"
            return f"did not come to an end within {limits}", "Make it simpler, or write it in Python."
        if verdict.word == "untried":
            return "was not tried, since one before it did not end", ""
        missing = [path for path in read if existing(tree, path) != path]
        if verdict.detail in {"KeyError", "IndexError", "RuntimeError"} and missing:
            return _missing(missing[0], tree)
        if verdict.detail == "TypeError":
            types = [f"{render(path)} is {type_name(lookup(tree, path))}" for path in read if path not in missing]
            advice = "Types are never mixed: convert with int(x), double(x) or string(x)."
            return "compares what cannot be compared", f"{', '.join(types[:4])}. {advice}" if types else advice
        reasons = {
            "KeyError": "reads a key that is missing",
            "IndexError": "reads behind the end of a list",
            "ZeroDivisionError": "divides by zero",
            "OverflowError": "has a number that does not fit",
        }
        reason = reasons.get(verdict.detail, "could not be evaluated")
        return reason, "Guard it with has(…) or size(…), or mend a misspelt function."


def _missing(path: Path, tree: Any) -> tuple[str, str]:
    near = existing(tree, path)
    names = keys_at(tree, near)
    close = difflib.get_close_matches(str(path[len(near)]), names, n=1, cutoff=0.6)
    advice = (
        f"Did you mean {render((*near, close[0]))}?" if close else "Add it, or guard the rule with has(document.…)."
    )
    return f"reads {render(path)}, which is missing", advice
