"""What all sources say now: one layer each, and the last good one of a source that fails."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from confbus.errors import SourceFailed
from confbus_publisher.merge import Merger
from confbus_publisher.merge_rules import DEFAULT, Rules
from confbus_publisher.sources.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confbus_publisher.layer import Layer
    from confbus_publisher.shape import Shape
    from confbus_publisher.sources.source import Source


@runtime_checkable
class Bindable(Protocol):
    """A source whose layer depends on what the others say."""

    def bind(self, context: Context) -> Layer: ...


class Layers:
    """The layers of `sources`, in their order. `failures` holds, by source, why its last load failed."""

    def __init__(self, sources: Sequence[Source], *, rules: Rules = DEFAULT, shape: Shape | None = None) -> None:
        self.sources = tuple(sources)
        self.failures: dict[str, SourceFailed] = {}
        self._good: dict[str, Layer] = {}
        self._merger = Merger(rules)
        self._shape = shape
        self._bound: tuple[tuple[Layer, ...], Context] | None = None

    def load(self) -> tuple[Layer, ...]:
        """Every source asked once; those that depend on the others come last.

        Raises `SourceFailed` when a source fails that never succeeded, and `MergeConflict` when a source must know
        what others say, and those do not go together.
        """
        found = {source.name: self._kept(source, source.load) for source in self.sources if not _is_bindable(source)}
        if len(found) < len(self.sources):
            context = self._context(tuple(found.values()))
            for source in self.sources:
                if isinstance(source, Bindable):
                    found[source.name] = self._kept(source, partial(source.bind, context))
        return tuple(found[source.name] for source in self.sources)

    def _context(self, others: tuple[Layer, ...]) -> Context:
        """The very same one while the others say the same."""
        if self._bound is None or len(others) != len(self._bound[0]) or not all(map(_is, others, self._bound[0])):
            self._bound = others, Context(self._shape, self._merger.merge(others).tree)
        return self._bound[1]

    def _kept(self, source: Source, load: Callable[[], Layer]) -> Layer:
        try:
            layer = load()
        except SourceFailed as failure:
            self.failures[source.name] = failure
            if source.name not in self._good:
                raise
        else:
            self.failures.pop(source.name, None)
            self._good[source.name] = layer
        return self._good[source.name]


def _is_bindable(source: Source) -> bool:
    return isinstance(source, Bindable)


def _is(one: object, other: object) -> bool:
    return one is other
