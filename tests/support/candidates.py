"""Documents as a publisher would let checks look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.wire.frozen import freeze
from confbus.wire.path import render
from confbus_publisher.checks import Candidate
from confbus_publisher.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from confbus.wire.path import Path


def candidate(
    tree: Mapping[str, Any],
    *,
    raw: Mapping[str, Any] | None = None,
    kind: str = "file",
    expanded: Collection[Path] = (),
    before: Mapping[str, Any] | None = None,
    is_shared: bool = True,
    sealed: Collection[str] = (),
    approved: Callable[[str], bool] = lambda _digest: False,
) -> Candidate:
    """`tree` from one source of a `kind`; each origin is `app.yaml:` and the path."""
    return Candidate(
        raw=freeze(tree if raw is None else raw),
        tree=freeze(tree),
        origin=lambda path: Origin(source=f"app.yaml:{render(path)}"),
        kind=lambda _path: kind,
        is_expanded=lambda path: path in expanded,
        before=None if before is None else freeze(before),
        is_shared=is_shared,
        sealed=frozenset(sealed),
        digest="d" * 64,
        approved=approved,
    )
