"""Frozen values out of YAML events, with the mark of every entry.

Recursion is bounded by the depth limit, and aliases count as deep and as large as what they stand for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from confbus.wire.frozen import Frozen, FrozenList
from confbus_publisher.formats.events import events, refusal
from confbus_publisher.formats.limits import DEPTH, FILE_BYTES, Unfit, too_deep, too_large, too_much_text
from confbus_publisher.formats.scalar import CORE, plain, tagged, unknown_tag
from confbus_publisher.formats.secret import TAG, reference, reference_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.errors import SourceFailed

_MAPPING_TAGS = (None, "!", f"{CORE}map")
_LIST_TAGS = (None, "!", f"{CORE}seq")
_DELETE_TAG = "!delete"
_MERGE_TAG = f"{CORE}merge"
_KINDS = {bool: "a bool", int: "an int", float: "a float", Frozen: "a mapping", FrozenList: "a list"}


class _Anchored(NamedTuple):
    value: Any
    nodes: int  # how many values one use of the alias adds
    height: int  # how many levels it adds
    text: int  # how many characters of scalars it adds


class Builder:
    """One pass over the events of one text.

    `marks` has, by the id of each mapping, the mark of every key, and by the id of each list, that of every item.
    `deleted` has, by the id of a mapping, the keys that it takes out of the layers below; without `may_delete` they
    are refused.
    """

    def __init__(self, text: str, origin_name: str, *, budget: int, may_delete: bool = False) -> None:
        self.marks: dict[int, Any] = {}
        self.deleted: dict[int, list[str]] = {}
        self._may_delete = may_delete
        self._source = text
        self._next = events(text)
        self._origin_name = origin_name
        self._budget = budget
        self._nodes = 0
        self._text = 0  # characters; without aliases no more than a file has
        self._deepest = 0
        self._anchors: dict[str, _Anchored | None] = {}  # None while the anchored value is being built

    def document(self) -> tuple[Frozen, Any]:
        """The tree, and the mark of its beginning."""
        start = self._next()
        if type(self._next()) is StreamEndEvent:
            return self._empty(), start.start_mark
        root = self._next()
        tree = self._node(root, 1)
        if type(root) is ScalarEvent and root.implicit[0] and not root.value:
            tree = self._empty()
        if type(tree) is not Frozen:
            raise self._refused(root, "the document is no mapping", "Begin with `key: value`.")
        self._next()
        if type(event := self._next()) is not StreamEndEvent:
            raise self._refused(event, "a second document begins here", "Keep one, or split the file.")
        return tree, root.start_mark

    def _node(self, event: Any, depth: int) -> Any:
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        if depth > DEPTH:
            raise self._unfit(event, too_deep())
        self._deepest = max(depth, self._deepest)
        is_mapping = isinstance(event, MappingStartEvent)
        if event.tag not in (_MAPPING_TAGS if is_mapping else _LIST_TAGS):
            raise self._unfit(event, unknown_tag(event.tag))
        build = self._mapping if is_mapping else self._list
        return build(event, depth) if event.anchor is None else self._anchored(event, depth, build)

    def _scalar(self, event: Any) -> Any:
        value = event.value
        self._text += len(value)
        try:
            if event.tag == TAG:
                value = reference(value)
            elif event.tag is not None:
                value = tagged(event.tag, value)
            elif event.implicit[0]:
                value = plain(value)
        except Unfit as unfit:
            raise self._unfit(event, unfit) from None
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 0, 0, len(event.value))
        return value

    def _mapping(self, start: Any, depth: int) -> Any:
        values: dict[str, Any] = {}
        marks: dict[str, Any] = {}
        bases: list[Frozen] = []
        gone: list[str] = []
        while type(event := self._next()) is not MappingEndEvent:
            key = self._key(event)
            if key in marks:
                raise self._duplicate(event, key, marks[key])
            marks[key] = event.start_mark
            value_event = self._next()
            if self._may_delete and type(value_event) is ScalarEvent and value_event.tag == _DELETE_TAG:
                gone.append(self._deleting(value_event, key))
                continue
            value = self._node(value_event, depth + 1)
            if key == "<<" and _merges(event):
                bases = self._bases(value, value_event)
            else:
                values[key] = value
        self._count(len(marks), start)
        if bases:
            values, marks = self._inherited(bases, values, marks)
            for key in gone:
                values.pop(key, None)
        try:
            found = reference_in(values)
        except Unfit as unfit:
            raise self._unfit(start, unfit) from None
        if found is not None:
            return found
        mapping = Frozen(values)
        if gone:
            self.deleted[id(mapping)] = gone
        self.marks[id(mapping)] = marks
        return mapping

    def _list(self, start: Any, depth: int) -> FrozenList:
        items: list[Any] = []
        marks: list[Any] = []
        while type(event := self._next()) is not SequenceEndEvent:
            marks.append(event.start_mark)
            items.append(self._node(event, depth + 1))
        self._count(len(items), start)
        built = FrozenList(items)
        self.marks[id(built)] = marks
        return built

    def _anchored(self, event: Any, depth: int, build: Callable[[Any, int], Any]) -> Any:
        name, nodes, deepest, text = event.anchor, self._nodes, self._deepest, self._text
        self._anchors[name] = None
        self._deepest = depth
        value = build(event, depth)
        if self._anchors[name] is None:  # Else the name was given again inside, and the later one counts.
            height = self._deepest - depth + 1
            self._anchors[name] = _Anchored(value, self._nodes - nodes, height, self._text - text)
        self._deepest = max(deepest, self._deepest)
        return value

    def _alias(self, event: Any, depth: int) -> Any:
        name = event.anchor
        if name not in self._anchors:
            raise self._refused(event, f"no &{name} stands before the alias *{name}", "Define it above.")
        anchored = self._anchors[name]
        if anchored is None:
            raise self._refused(event, f"the alias *{name} stands inside what it names", "Remove it.")
        reached = depth + anchored.height - 1
        if reached > DEPTH:
            raise self._unfit(event, too_deep())
        self._deepest = max(reached, self._deepest)
        self._count(anchored.nodes, event)
        self._text += anchored.text
        if self._text > FILE_BYTES:
            raise self._unfit(event, too_much_text())
        return anchored.value

    def _key(self, event: Any) -> str:
        key: object = Frozen() if isinstance(event, MappingStartEvent) else FrozenList()
        mark: Any = event.start_mark
        if isinstance(event, ScalarEvent):
            key = self._scalar(event)
        elif isinstance(event, AliasEvent):
            key = self._alias(event, 1)
        if isinstance(key, str):
            if mark.index and self._source[mark.index - 1] == "?":  # {?a: 1} has the key ?a, and the parser gives a.
                reason = "a ? stands right before the key"
                raise self._refused(event, reason, "Quote the key together with the ?, or remove the ?.")
            return key
        what = next((name for kind, name in _KINDS.items() if isinstance(key, kind)), "null")
        advice = f'Write "{event.value}" in quotes.' if isinstance(event, ScalarEvent) else "Use a string."
        raise self._refused(event, f"the key is {what}, and keys are strings", advice)

    def _deleting(self, event: Any, key: str) -> str:
        if event.value:
            raise self._refused(event, "a value stands behind !delete", "Remove the value, or the tag.")
        return key

    def _bases(self, value: Any, event: Any) -> list[Frozen]:
        bases = value if type(value) is FrozenList else [value]
        if all(type(base) is Frozen for base in bases):
            return list(bases)
        reason = "<< takes a mapping, or a list of mappings"
        raise self._refused(event, reason, 'Quote "<<" if it is only a key.')

    def _inherited(
        self, bases: list[Frozen], values: dict[str, Any], marks: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What stands in the mapping itself wins over every base, wherever it stands; then the earlier base wins."""
        all_values: dict[str, Any] = {}
        all_marks: dict[str, Any] = {}
        for base in reversed(bases):
            all_values.update(base)
            all_marks.update(self.marks[id(base)])
        return all_values | values, all_marks | marks

    def _empty(self) -> Frozen:
        mapping = Frozen()
        self.marks[id(mapping)] = {}
        return mapping

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > self._budget:
            raise self._unfit(event, too_large(self._budget))

    def _duplicate(self, event: Any, key: str, first: Any) -> SourceFailed:
        advice = "Write <<: [*a, *b] to merge several." if key == "<<" else "Keep one of them."
        return self._refused(event, f"the key {key!r} stands on line {first.line + 1} already", advice)

    def _refused(self, event: Any, reason: str, advice: str) -> SourceFailed:
        return self._unfit(event, Unfit(reason, advice))

    def _unfit(self, event: Any, unfit: Unfit) -> SourceFailed:
        return refusal(unfit, self._origin_name, event.start_mark)


def _merges(event: Any) -> bool:
    return type(event) is ScalarEvent and event.tag in (None, _MERGE_TAG) and event.implicit[0]
