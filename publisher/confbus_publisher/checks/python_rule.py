"""Cross-field rules in Python: a function of the user that gets the document."""

from __future__ import annotations

import traceback
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from confbus.errors import ConfBusError, InvalidPath
from confbus.wire.path import parse
from confbus_publisher.checks.expression import existing
from confbus_publisher.checks.guarded_call import GuardedCall
from confbus_publisher.checks.hiding import without_secrets
from confbus_publisher.checks.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from confbus.wire.path import Path
    from confbus_publisher.checks.candidate import Candidate
    from confbus_publisher.checks.rule import Rule

DEADLINE_S = 5.0
MOST_MESSAGES = 100
_MOST_CHARACTERS = 500
_TELLING = (AssertionError, ValueError)


class PythonCheck:
    """Calls `function` with the frozen document; it runs in this process, on a thread, for at most `deadline_s`.

    None, True and nothing at all mean fine; False, a text, or an iterable of texts and of (path, text) mean problems.
    An exception is a problem too: the text of a plain `AssertionError` or `ValueError` is told, of any other only the
    type and the line, since exceptions like to quote values. Secrets of the document are hidden in every text.
    """

    needs_head = False

    def __init__(self, function: Callable[[Any], Any], rule: Rule, *, deadline_s: float = DEADLINE_S) -> None:
        self.name = rule.text
        self._function = function
        self._rule = rule
        self._deadline_s = deadline_s
        self._guarded = GuardedCall(rule.text, deadline_s)

    def __call__(self, candidate: Candidate) -> Iterator[Problem]:
        found: list[tuple[Any, str]] = []
        error, is_stuck = self._guarded.call(lambda: found.extend(_listed(self._function(candidate.tree))))
        if is_stuck:
            advice = "Let it end by itself: it holds every publish up, and cannot be ended from outside."
            yield self._problem((), f"did not answer within {self._deadline_s:g} s", advice, candidate)
        elif error is not None:
            yield self._problem((), _raised(error), "", candidate)
        for path, text in tuple(found):
            yield self._problem(path, text, "", candidate)

    def _problem(self, path: Any, text: str, advice: str, candidate: Candidate) -> Problem:
        known = _path(path)
        place = candidate.place(existing(candidate.tree, known))
        told = without_secrets(text, candidate.tree, sealed=candidate.sealed)[:_MOST_CHARACTERS]
        message = f"{self._rule.text} says: {told}" if not self._rule.message else self._rule.message
        source = f"The rule stands at {self._rule.origin}." if self._rule.origin else ""
        return Problem(known, message.rstrip("."), f"{advice} {source}".strip(), place, self.name, self._rule.is_error)


def _listed(result: Any) -> Iterator[tuple[Any, str]]:
    """What a rule gave back as paths and texts. Raises `TypeError` for what means nothing."""
    if result is None or result is True:
        return
    if result is False:
        yield (), "it does not hold"
    elif isinstance(result, str):
        yield (), _line(result)
    elif isinstance(result, int | float | dict):
        raise TypeError
    else:
        for each in islice(cast("Iterable[Any]", result), MOST_MESSAGES):
            yield _entry(each)


def _entry(entry: Any) -> tuple[Any, str]:
    if isinstance(entry, str):
        return (), _line(entry)
    path, text = entry
    return path, _line(str(text))


def _line(text: str) -> str:
    return " ".join(text.split()) or "it does not hold"


def _path(path: Any) -> Path:
    """What a rule calls a path, when it is one; else that of the document."""
    try:
        return parse(path) if isinstance(path, str) else tuple(path)
    except (InvalidPath, TypeError):
        return ()


def _raised(error: BaseException) -> str:
    if type(error) in _TELLING and str(error):
        return _line(str(error))
    if isinstance(error, ConfBusError):
        return _line(error.message)
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"it raised {type(error).__name__}{at}"
