"""What a person may say about the merge: which lists are joined, and what is replaced whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidPath
from confbus.wire.frozen import FrozenList
from confbus.wire.path import Pattern
from confbus.wire.reference import spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confbus.wire.path import Path
    from confbus_publisher.entry import Entry


def _append(below: FrozenList, above: FrozenList) -> FrozenList:
    return FrozenList([*below, *above])


def _prepend(below: FrozenList, above: FrozenList) -> FrozenList:
    return FrozenList([*above, *below])


def _unique(below: FrozenList, above: FrozenList) -> FrozenList:
    """Each item once, where it first stands; `1`, `1.0` and `true` are three items."""
    first: dict[str, Any] = {}
    for item in (*below, *above):
        first.setdefault(json.dumps(item, sort_keys=True, default=spelled), item)
    return FrozenList(first.values())


STRATEGIES: Mapping[str, Callable[[FrozenList, FrozenList], FrozenList]] = {
    "append": _append,
    "prepend": _prepend,
    "unique": _unique,
}


class Rules:
    """Immutable. `lists` gives the strategy for the lists that a pattern matches, the first match counts; what a
    pattern of `replace` matches, or what lies below it, is taken from the uppermost layer alone, whatever it is."""

    __slots__ = ("_joins", "_replace")

    def __init__(self, lists: Sequence[tuple[Pattern, str]] = (), replace: Sequence[Pattern] = ()) -> None:
        self._joins = tuple((pattern, STRATEGIES[name]) for pattern, name in lists)
        self._replace = tuple(replace)

    def joining(self, path: Path) -> Callable[[FrozenList, FrozenList], FrozenList] | None:
        """How lists at `path` are joined; None: the upper one replaces."""
        return next((join for pattern, join in self._joins if pattern.matches(path)), None)

    def replaces(self, path: Path) -> bool:
        """True when what stands at `path` is never merged."""
        return any(pattern.matches(path) for pattern in self._replace)


DEFAULT = Rules()


def read_rules(entry: Entry) -> Rules:
    """The rules in `merge:` and `replace:` of confbus.yaml. Raises `InvalidSettings` with the line."""
    merge = entry.inner("merge")
    lists: list[tuple[Pattern, str]] = []
    for text in merge.values:
        strategy = merge.text(text)
        if strategy not in STRATEGIES:
            reason = f"{strategy!r} is no way to join lists"
            raise merge.refuse(reason, f"Known are {', '.join(STRATEGIES)}; without one, a list replaces.", at=text)
        lists.append((_pattern(merge, text, at=text), strategy))
    replace = entry.texts("replace") if "replace" in entry else []
    return Rules(lists, [_pattern(entry, text, at="replace") for text in replace])


def _pattern(entry: Entry, text: str, *, at: str) -> Pattern:
    try:
        return Pattern(text)
    except InvalidPath as error:
        raise entry.refuse(error.message.rstrip("."), error.advice, at=at) from None
