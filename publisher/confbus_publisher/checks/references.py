"""Who may write secret references: they make workers read variables, files and vaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.wire.reference import found_in
from confbus_publisher.checks.candidate import leaf_of
from confbus_publisher.checks.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confbus.wire.path import Path
    from confbus_publisher.checks.candidate import Candidate

_REMOTE = frozenset({"http", "vault"})


class ReferenceCheck:
    """Refuses references in documents that come from elsewhere, unless their source `interpolates`: who may write those
    could have any file of a worker put into its configuration."""

    name = "references"
    needs_head = False

    def __init__(self, interpolates: Callable[[Path], bool]) -> None:
        self._interpolates = interpolates

    def __call__(self, candidate: Candidate) -> Iterator[Problem]:
        for path, reference in found_in(candidate.tree):
            leaf = leaf_of(path)
            if candidate.kind(leaf) in _REMOTE and not self._interpolates(leaf):
                message = f"{reference} stands in a remote document"
                advice = "Write it in a file beside, or give the source `interpolate: true` if you trust its authors."
                yield Problem(path, message, advice, candidate.place(path), self.name)
