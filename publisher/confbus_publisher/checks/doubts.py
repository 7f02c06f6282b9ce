"""What loading and merging let pass though it may not be meant: told as warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.checks.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from confbus_publisher.checks.candidate import Candidate
    from confbus_publisher.expansion.expander import Doubt
    from confbus_publisher.merge import Replacement


class DoubtCheck:
    """The doubts of one merge: references that may mean something else, and values that changed their type on the way
    up through the layers."""

    name = "merge"
    needs_head = False

    def __init__(self, doubts: Sequence[Doubt], replacements: Sequence[Replacement]) -> None:
        self._doubts = doubts
        self._replacements = replacements

    def __call__(self, candidate: Candidate) -> Iterator[Problem]:
        del candidate
        for doubt in self._doubts:
            yield Problem(doubt.path, doubt.reason, doubt.advice, str(doubt.origin), self.name, is_error=False)
        for each in self._replacements:
            text = f"it becomes {each.becomes}, and at {each.lower} it is {each.was}"
            advice = "Give both the same type, or list the path under `replace:`."
            yield Problem(each.path, text, advice, str(each.upper), self.name, is_error=False)
