"""The document that would go out, with all that a check may want to know of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from confbus.wire.frozen import is_list, is_mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confbus.wire.frozen import Frozen
    from confbus.wire.path import Path
    from confbus_publisher.origin import Origin


def _never(_digest: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """`raw` is the merge before any `${…}` was expanded, `tree` what would go out, `digest` that of the document.

    `origin`, `kind` (the kind of the source that won) and `is_expanded` answer for the path of any leaf or mapping;
    a list is one leaf. `before` is the document of the head, or None when there is none or nobody asked. `is_shared`
    is True where others can read what is published: in Redis, not in the memory of this process; but for what is below
    the top-level keys in `sealed`. `approved` tells whether a person let the document of a digest through the gates.
    """

    raw: Frozen = field(repr=False)
    tree: Frozen = field(repr=False)
    origin: Callable[[Path], Origin] = field(repr=False)
    kind: Callable[[Path], str] = field(repr=False)
    is_expanded: Callable[[Path], bool] = field(repr=False)
    before: Frozen | None = field(default=None, repr=False)
    is_shared: bool = True
    sealed: frozenset[str] = frozenset()
    digest: str = ""
    approved: Callable[[str], bool] = field(default=_never, repr=False)

    def place(self, path: Path) -> str:
        """Where `path` was written; for what is inside a list, where the list was."""
        return str(self.origin(leaf_of(path)))


def leaf_of(path: Path) -> Path:
    """The part of `path` before the first index: what is inside a list has no origin of its own."""
    return tuple(takewhile(lambda part: isinstance(part, str), path))


def scalars(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in `value` that is no mapping and no list, also those inside lists."""
    if is_mapping(value):
        for key, part in value.items():
            yield from scalars(part, (*path, key))
    elif is_list(value):
        for index, part in enumerate(value):
            yield from scalars(part, (*path, index))
    else:
        yield path, value
