"""What is to be sealed and is not there, or lies in Redis in the clear all the same."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from confbus.wire.path import leaves
from confbus_publisher.checks.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.checks.candidate import Candidate

_OVERRIDE = "override"
"""The kind of the layer that people set on top of the sources."""


class SealCheck:
    """Warns of a name under `seal:` that is no key of the document, and of overrides below the others."""

    name = "seal"
    needs_head = False

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys

    def __call__(self, candidate: Candidate) -> Iterator[Problem]:
        tree = candidate.tree
        for key in sorted(self._keys):
            if key not in tree:
                close = difflib.get_close_matches(key, tree, n=1, cutoff=0.6)
                advice = f"Did you mean {close[0]}? That goes out in plain text." if close else "Mend `seal:`."
                yield Problem((key,), "it is to be sealed, and is not there", advice, "", self.name, is_error=False)
                continue
            for path, _ in leaves({key: tree[key]}):
                if candidate.kind(path) == _OVERRIDE:
                    reason = "it is sealed, and its override is plain text in Redis"
                    advice = "Put the value into a source, and `confbus unset` the override."
                    yield Problem(path, reason, advice, candidate.place(path), self.name, is_error=False)
