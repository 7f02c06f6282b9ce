"""The layers of all sources: what each says now, or else said last."""

from __future__ import annotations

import math
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from confbus.errors import MergeConflict, SourceFailed
from confbus_publisher.layer import same_objects
from confbus_publisher.merge import Merger
from confbus_publisher.merge_rules import DEFAULT, Rules
from confbus_publisher.sources.context import Context
from confbus_publisher.sources.source import Bindable, Polled, SourceGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path as FilePath

    from confbus.wire.path import Path
    from confbus_publisher.layer import Layer
    from confbus_publisher.shape import Shape
    from confbus_publisher.sources.source import AnySource, Source

_LEAST_S = 0.1
_ATTEMPTS = 3


class Layers:
    """Loads `sources`, and the members of groups among them. `failures` holds, by name, why a last load failed.

    One that fails keeps its last good layer, and a group the members that it had. For one thread, but for
    `watched`.
    """

    def __init__(self, sources: Sequence[AnySource], *, rules: Rules = DEFAULT) -> None:
        self.sources = sources
        self.failures: dict[str, SourceFailed] = {}
        self._members: dict[SourceGroup, tuple[Source, ...]] = {}
        self._good: dict[Source, Layer] = {}
        self._merger = Merger(rules)
        self._bound: tuple[tuple[object, ...], Context] | None = None

    @property
    def sources(self) -> tuple[AnySource, ...]:
        return self._sources

    @sources.setter
    def sources(self, sources: Sequence[AnySource]) -> None:
        """Those that stay keep their last good layers."""
        self._sources = tuple(sources)
        # Once: to ask whether something keeps a protocol is slow.
        self._polled = [source for source in self._sources if isinstance(source, Polled)]
        self._bindable = {source.name: source for source in self._sources if isinstance(source, Bindable)}

    @property
    def watched(self) -> set[FilePath]:
        """The directories to watch."""
        return {directory for source in (*self.sources, *self._each()) for directory in source.watched}

    @property
    def due_in_s(self) -> float:
        """In how many seconds a source that is polled wants to be loaded again; never at once, lest a loop spin."""
        return max(_LEAST_S, min((source.due_in_s for source in self._polled), default=math.inf))

    def listen(self, wake: Callable[[], object]) -> None:
        """Have `wake` called, from another thread, when a source that is polled may say something new."""
        for source in self._polled:
            source.listen(wake)

    def load(self, shape: Shape | None = None) -> tuple[Layer, ...]:
        """The layers in the order of their sources, each above the one before where priorities are equal. `shape` is
        that of the schema, for sources that are read by it.

        Raises `SourceFailed` when a source or member fails that never succeeded, and `MergeConflict` when a source
        must know what others say, and those do not go together.
        """
        self._ask_all(shape)
        for source in self.sources:
            lacking = [each for each in self._parts(source) if each not in self._good]
            if lacking:
                raise self.failures.get(source.name) or self.failures[lacking[0].name]
        return tuple(self._good[source] for source in self._each())

    def available(self, shape: Shape | None = None) -> list[Layer]:
        """The layers that can be had; `failures` tells of the others."""
        with suppress(MergeConflict):
            self._ask_all(shape)
        return [self._good[source] for source in self._each() if source in self._good]

    def how(self, source: str, path: Path) -> str:
        """In words, by which rules a source that reads names and texts by what is known placed and typed its value at
        `path`; empty for any other source."""
        bindable = self._bindable.get(source)
        return bindable.how(path) if bindable else ""

    def _each(self) -> Iterator[Source]:
        """Every source, with the members of a group in its place."""
        return (part for source in self.sources for part in self._parts(source) if not isinstance(part, SourceGroup))

    def _parts(self, source: AnySource) -> Sequence[AnySource]:
        """A source itself; of a group the members, when it ever told which they are."""
        return self._members.get(source, (source,)) if isinstance(source, SourceGroup) else (source,)

    def _ask_all(self, shape: Shape | None) -> None:
        """Every source, those that depend on the others last: one that fails keeps no other from its turn."""
        for polled in self._polled:
            polled.begin()
        for source in self.sources:
            if isinstance(source, SourceGroup):
                self._ask_group(source)
            elif source.name not in self._bindable:
                self._ask(source, source.load)
        self._forget_the_gone()
        if self._bindable:
            plain = (each for each in self._each() if each in self._good and each.name not in self._bindable)
            context = self._context(tuple(self._good[each] for each in plain), shape)
            for bindable in self._bindable.values():
                self._ask(bindable, partial(bindable.bind, context))

    def _ask_group(self, group: SourceGroup) -> None:
        """Its members, until what they read was of one state."""
        for _ in range(_ATTEMPTS):
            try:
                self._members = {**self._members, group: group.members()}
            except SourceFailed as failure:
                self.failures[group.name] = failure
                return
            self.failures.pop(group.name, None)
            for member in self._members[group]:
                self._ask(member, member.load)
            if group.is_current():
                return

    def _ask(self, source: Source, load: Callable[[], Layer]) -> None:
        try:
            self._good[source] = load()
        except SourceFailed as failure:
            self.failures[source.name] = failure
            last = source.last_good if isinstance(source, Polled) else None
            if last is not None:
                self._good.setdefault(source, last)
        else:
            self.failures.pop(source.name, None)

    def _forget_the_gone(self) -> None:
        there = set(self._each())
        names = {source.name for source in (*self.sources, *there)}
        self._good = {source: layer for source, layer in self._good.items() if source in there}
        self.failures = {name: failure for name, failure in self.failures.items() if name in names}

    def _context(self, others: tuple[Layer, ...], shape: Shape | None) -> Context:
        """The very same one while schema and others say the same."""
        parts = (shape, *others)
        if self._bound is None or not same_objects(parts, self._bound[0]):
            self._bound = parts, Context(shape, self._merger.merge(others).tree)
        return self._bound[1]
