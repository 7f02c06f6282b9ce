"""The seam of every check, and the one place that runs them all."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from confbus.errors import ChecksFailed
from confbus_publisher.checks.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from confbus_publisher.checks.candidate import Candidate
    from confbus_publisher.shape import Shape

MOST = 100
"""So many problems are told. Whoever has more begins with these."""

_NUMBERED = re.compile(r"([^0-9]*)([0-9]{0,18})")


class Check(Protocol):
    """Looks at a candidate and tells what is wrong with it. It never raises for what the document holds."""

    @property
    def name(self) -> str: ...

    @property
    def needs_head(self) -> bool:
        """True for a check that says nothing without the document of the head."""
        ...

    def __call__(self, candidate: Candidate) -> Iterable[Problem]: ...


@runtime_checkable
class Shaping(Protocol):
    """What a check has, beside the rest, that knows the shape of a document."""

    @property
    def shape(self) -> Shape:
        """The very same one while nothing changed."""
        ...

    @property
    def watched(self) -> tuple[Path, ...]:
        """The directories in which something changes when the shape may have changed."""
        ...


def run_checks(checks: Iterable[Check], candidate: Candidate) -> tuple[Problem, ...]:
    """All that the checks find: errors first, then by place. At most 100 of them, and one that counts the rest."""
    found: list[Problem] = []
    for check in checks:
        problems = iter(check(candidate))
        found += islice(problems, MOST)
        if next(problems, None) is not None:
            found.append(Problem((), f"{check.name} found more than {MOST} problems", rule=check.name))
    found = sorted(dict.fromkeys(found), key=_order)
    rest = found[MOST:]
    if rest:
        counted = Problem((), f"{len(rest)} more problems", rule="checks", is_error=any(p.is_error for p in rest))
        found = [*found[:MOST], counted]
    return tuple(found)


def _order(problem: Problem) -> tuple[bool, list[tuple[str, int]], str]:
    """Line 9 stands before line 10."""
    place = [(text, int(digits or 0)) for text, digits in _NUMBERED.findall(problem.origin)]
    return not problem.is_error, place, str(problem)


def refuse_errors(problems: Sequence[Problem]) -> tuple[str, ...]:
    """The warnings among `problems`, for people. Raises `ChecksFailed`, naming every error, when there is one."""
    errors = [problem for problem in problems if problem.is_error]
    if errors:
        raise ChecksFailed(map(str, errors), rules=[problem.rule for problem in errors])
    return tuple(str(problem) for problem in problems)
