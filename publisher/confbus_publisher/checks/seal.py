"""What is to be sealed and is not there: a name that is written wrong leaves the right one open."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from confbus_publisher.checks.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.checks.candidate import Candidate


class SealCheck:
    """Warns of a name under `seal:` that is no key of the document."""

    name = "seal"
    needs_head = False

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys

    def __call__(self, candidate: Candidate) -> Iterator[Problem]:
        tree = candidate.tree
        for key in sorted(self._keys):
            if key in tree:
                continue
            close = difflib.get_close_matches(key, tree, n=1, cutoff=0.6)
            advice = f"Did you mean {close[0]}? That goes out in plain text." if close else "Mend `seal:`."
            yield Problem((key,), "it is to be sealed, and is not there", advice, "", self.name, is_error=False)
