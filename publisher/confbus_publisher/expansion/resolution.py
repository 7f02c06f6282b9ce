"""One pass over the references of a document: each is resolved after those that it refers to.

Every value with a reference in it, and every mapping and list around one, is a node; a node needs what is in it and
what it refers to. Taken in that order there is no recursion, however long a chain is, and what is left over is a
circle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, NamedTuple

from confbus.errors import InvalidPath
from confbus.wire import path as paths
from confbus.wire.frozen import Frozen, FrozenList, is_list, is_mapping
from confbus.wire.frozen import Reference as SecretReference
from confbus_publisher.expansion.interpolation import Reference, joined
from confbus_publisher.expansion.measure import Measure
from confbus_publisher.formats import literal
from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from confbus_publisher.expansion.interpolation import Template
    from confbus_publisher.expansion.substitutes import Substitutes
    from confbus_publisher.shape import Shape

_MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Step:
    """How a value came about: what was written, and the names of what was put in; never what those hold."""

    template: str = field(repr=False)
    used: tuple[str, ...]


class Written(NamedTuple):
    """A string with references: its text, and its parts, or why it has none."""

    text: str
    parts: Template | Unfit


class Solved(NamedTuple):
    """A node with its new value, and what that was made of."""

    raw: Any
    pieces: tuple[Any, ...]
    types: frozenset[str]
    value: Any

    def is_still(self, raw: Any, pieces: tuple[Any, ...], types: frozenset[str]) -> bool:
        """True when the value would come about the same way."""
        is_raw = self.raw is raw or (isinstance(raw, str) and self.raw == raw)
        return is_raw and self.types == types and len(self.pieces) == len(pieces) and _same(self.pieces, pieces)


class Resolution:
    """Resolves what is `written` in `tree`. What is made of the same as in `known` stays the same object.

    `solved` has the nodes that came out, `()` among them when all did; `steps` and `failures` go by the path of the
    value. A failure names variables, files and paths, never a value.
    """

    def __init__(
        self,
        tree: Frozen,
        written: Mapping[paths.Path, Written],
        substitutes: Substitutes,
        *,
        shape: Shape | None,
        known: Mapping[paths.Path, Solved],
    ) -> None:
        self.solved: dict[paths.Path, Solved] = {}
        self.steps: dict[paths.Path, Step] = {}
        self.failures: dict[paths.Path, Unfit] = {}
        self._tree = tree
        self._written = written
        self._substitutes = substitutes
        self._shape = shape
        self._known = known
        self._measure = Measure()
        self._needs = self._graph()
        self._run()

    def _run(self) -> None:
        if not any(any(_references(written)) for written in self._written.values()):
            # Then only mappings and lists need something: what is in them. To sort by that alone costs half as much.
            for path in sorted(self._needs, key=len, reverse=True):
                self._solve(path)
            return
        sorter = TopologicalSorter(self._needs)
        try:
            sorter.prepare()
        except CycleError:
            self._tell_circles(self._take(sorter))
        else:
            self._take(sorter)

    def _take(self, sorter: TopologicalSorter[paths.Path]) -> set[paths.Path]:
        """Resolve as many nodes as circles allow; the others are given back."""
        waiting = set(self._needs)
        while sorter.is_active() and (ready := sorter.get_ready()):
            for path in ready:
                self._solve(path)
            sorter.done(*ready)
            waiting.difference_update(ready)
        return waiting

    def _graph(self) -> dict[paths.Path, dict[paths.Path, None]]:
        """What each node needs, in a stable order."""
        needs: dict[paths.Path, dict[paths.Path, None]] = {path: {} for path in self._written}
        for path in self._written:
            inner = path
            while inner:
                is_linked = inner[:-1] in needs
                needs.setdefault(inner[:-1], {})[inner] = None
                if is_linked:
                    break
                inner = inner[:-1]
        for path, written in self._written.items():
            for reference in _references(written):
                needed = self._node(reference.name, needs)
                if needed is not None:
                    needs[path][needed] = None
        return needs

    def _node(self, text: str, needs: Mapping[paths.Path, object]) -> paths.Path | None:
        """The node that a reference leads to or through, if there is one."""
        try:
            target = paths.parse(text)
        except InvalidPath:  # Resolving it says so.
            return None
        through = next((target[:end] for end in range(len(target) + 1) if target[:end] in self._written), target)
        return through if through in needs else None

    def _solve(self, path: paths.Path) -> None:
        if path not in self._written:
            self._rebuild(path)
            return
        try:
            self.solved[path] = self._resolve(path, self._written[path])
        except Unfit as unfit:
            self.failures[path] = unfit

    def _rebuild(self, path: paths.Path) -> None:
        """The mapping or list at `path` with its new parts, when all of them came out."""
        parts: dict[Any, Any] = {
            inner[-1]: self.solved[inner].value for inner in self._needs[path] if inner in self.solved
        }
        if len(parts) < len(self._needs[path]):
            return
        raw, pieces = paths.lookup(self._tree, path), tuple(parts.values())
        known = self._known.get(path)
        if known is not None and known.is_still(raw, pieces, frozenset()):
            self.solved[path] = known
            return
        value = Frozen({**raw, **parts}) if is_mapping(raw) else _with_items(raw, parts)
        self.solved[path] = Solved(raw, pieces, frozenset(), value)

    def _resolve(self, path: paths.Path, written: Written) -> Solved:
        if isinstance(written.parts, Unfit):
            raise written.parts
        used: list[str] = []
        pieces = tuple(self._pieces(written.parts, used))
        self.steps[path] = Step(written.text, tuple(used))
        types = self._shape.types(path) if self._shape is not None else frozenset[str]()
        known = self._known.get(path)
        if known is None or not known.is_still(written.text, pieces, types):
            try:
                known = Solved(written.text, pieces, types, self._value(path, written.parts, pieces))
            except Unfit as unfit:
                raise Unfit(f"with the {' and the '.join(used)}, {unfit.reason}", unfit.advice) from None
        self._measure.spend(known.value, depth=len(path))
        return known

    def _pieces(self, template: Template, used: list[str]) -> Iterator[Any]:
        for part in template:
            if isinstance(part, str):
                yield part
            elif part.kind == "ref":
                used.append(f"ref {part.name}")
                yield self._target(part.name)
            else:
                text, source = self._substitutes.text(part)
                used.append(source)
                yield text

    def _value(self, path: paths.Path, template: Template, pieces: tuple[Any, ...]) -> Any:
        types = self._shape.types(path) if self._shape is not None else frozenset[str]()
        items = self._shape.types((*path, 0)) if self._shape is not None else frozenset[str]()
        [first, *others] = template
        if isinstance(first, Reference) and not others:
            [value] = pieces
            if not isinstance(value, str) or (first.kind == "ref" and not types):
                return value
            return literal.fit(value, types, items=items) if types else literal.guess(value)
        text = joined(map(_spelled, pieces))
        has_reference = any(isinstance(part, Reference) for part in template)
        return literal.fit(text, types, items=items) if has_reference and types and "string" not in types else text

    def _target(self, text: str) -> Any:
        """The new value at the path that `text` is."""
        try:
            target = paths.parse(text)
        except InvalidPath as error:
            raise Unfit(f"in ${{ref:…}}, {error.message.rstrip('.')}", error.advice) from None
        node = self._node(text, self._needs)
        if node is None:
            base, rest = self._tree, target
        elif node in self.solved:
            base, rest = self.solved[node].value, target[len(node) :]
        else:
            raise Unfit(f"it refers to {text}, which has no value", "Mend that first.")
        try:
            return paths.lookup(base, rest)
        except KeyError:
            near = paths.nearest(self._tree, target)
            advice = f"Did you mean {near}?" if near else "Write the whole path from the top."
            raise Unfit(f"it refers to {text}, where nothing is", advice) from None

    def _tell_circles(self, waiting: set[paths.Path]) -> None:
        """Every node that waits needs another one that waits, so following them ends in a circle."""
        circles: dict[paths.Path, str] = {}
        for start in (path for path in self._written if path in waiting):
            walk: dict[paths.Path, int] = {}
            node = start
            while node not in walk and node not in circles:
                walk[node] = len(walk)
                node = next(needed for needed in self._needs[node] if needed in waiting)
            circle = circles.get(node) or _shown([*list(walk)[walk[node] :], node])
            circles.update(dict.fromkeys(walk, circle))
            reason = f"its references go in a circle: {circles[start]}"
            self.failures[start] = Unfit(reason, "Give one of them a value of its own.")


def _references(written: Written) -> Iterator[Reference]:
    parts = () if isinstance(written.parts, Unfit) else written.parts
    return (part for part in parts if isinstance(part, Reference) and part.kind == "ref")


def _same(ones: Iterable[Any], others: Iterable[Any]) -> bool:
    """Each the very same object, or an equal string or number of the same type."""
    return all(
        one is other or (type(one) is type(other) and not isinstance(one, Frozen | FrozenList) and one == other)
        for one, other in zip(ones, others, strict=True)
    )


def _with_items(raw: Any, items: Mapping[int, Any]) -> FrozenList:
    return FrozenList(items.get(index, item) for index, item in enumerate(raw))


def _spelled(piece: Any) -> str:
    """A single value as it stands in a text."""
    if isinstance(piece, str):
        return piece
    if is_mapping(piece) or is_list(piece):
        what = "mapping" if is_mapping(piece) else "list"
        raise Unfit(
            f"a {what} cannot stand within a text", "Refer to a single value, or let the reference stand alone."
        )
    if isinstance(piece, SecretReference):
        raise Unfit("a secret reference cannot stand within a text", "Let it stand alone: workers put the secret in.")
    return json.dumps(piece)


def _shown(circle: list[paths.Path]) -> str:
    names = [paths.render(path) or "the document" for path in circle]
    if len(names) > _MOST_SHOWN:
        names[_MOST_SHOWN - 1 : -1] = ["…"]
    return " → ".join(names)
