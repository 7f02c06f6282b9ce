"""What all sources say now: one layer each, and the last good one of a source that fails."""

from __future__ import annotations

import math
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from confbus.errors import MergeConflict, SourceFailed
from confbus_publisher.merge import Merger
from confbus_publisher.merge_rules import DEFAULT, Rules
from confbus_publisher.sources.context import Context
from confbus_publisher.sources.source import Polled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confbus_publisher.layer import Layer
    from confbus_publisher.shape import Shape
    from confbus_publisher.sources.source import Source

_LEAST_S = 0.1


@runtime_checkable
class Bindable(Protocol):
    """A source whose layer depends on what the others say."""

    def bind(self, context: Context) -> Layer: ...


class Layers:
    """The layers of `sources`, in their order. `failures` holds, by source, why its last load failed."""

    def __init__(self, sources: Sequence[Source], *, rules: Rules = DEFAULT, shape: Shape | None = None) -> None:
        self.sources = tuple(sources)
        self.failures: dict[str, SourceFailed] = {}
        self._polled = [source for source in self.sources if isinstance(source, Polled)]
        self._bindable = [source for source in self.sources if isinstance(source, Bindable)]
        self._plain = [source for source in self.sources if not isinstance(source, Bindable)]
        self._good: dict[str, Layer] = {}
        self._merger = Merger(rules)
        self._shape = shape
        self._bound: tuple[tuple[Layer, ...], Context] | None = None

    @property
    def due_in_s(self) -> float:
        """In how many seconds a source that is polled wants to be loaded again; never at once, lest a loop spin."""
        return max(_LEAST_S, min((source.due_in_s for source in self._polled), default=math.inf))

    def listen(self, wake: Callable[[], object]) -> None:
        """Have `wake` called, from another thread, when a source that is polled may say something new."""
        for source in self._polled:
            source.listen(wake)

    def load(self) -> tuple[Layer, ...]:
        """The layer of each source, in their order.

        Raises `SourceFailed` when a source fails that never succeeded, and `MergeConflict` when a source must know
        what others say, and those do not go together.
        """
        self._ask_all()
        return tuple(self._kept(source) for source in self.sources)

    def available(self) -> list[Layer]:
        """The layers that can be had; `failures` tells of the others."""
        with suppress(MergeConflict):
            self._ask_all()
        return [self._good[source.name] for source in self.sources if source.name in self._good]

    def _ask_all(self) -> None:
        """Every source, those that depend on the others last: one that fails keeps no other from its turn."""
        for polled in self._polled:
            polled.begin()
        for source in self._plain:
            self._ask(source, source.load)
        if self._bindable:
            context = self._context(tuple(self._good[each.name] for each in self._plain if each.name in self._good))
            for source in self._bindable:
                self._ask(source, partial(source.bind, context))

    def _ask(self, source: Source, load: Callable[[], Layer]) -> None:
        try:
            self._good[source.name] = load()
        except SourceFailed as failure:
            self.failures[source.name] = failure
            last = source.last_good if isinstance(source, Polled) else None
            if last is not None:
                self._good.setdefault(source.name, last)
        else:
            self.failures.pop(source.name, None)

    def _kept(self, source: Source) -> Layer:
        if source.name not in self._good:
            raise self.failures[source.name]
        return self._good[source.name]

    def _context(self, others: tuple[Layer, ...]) -> Context:
        """The very same one while the others say the same."""
        if self._bound is None or len(others) != len(self._bound[0]) or not all(map(_is, others, self._bound[0])):
            self._bound = others, Context(self._shape, self._merger.merge(others).tree)
        return self._bound[1]


def _is(one: object, other: object) -> bool:
    return one is other
