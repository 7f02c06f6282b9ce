"""What people put on top of all sources, as a source. It is told what there is; who asks the store is `overriding`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from confbus.errors import Malformed
from confbus.wire.frozen import Frozen, freeze
from confbus_publisher.formats.tree import paths
from confbus_publisher.layer import Layer
from confbus_publisher.origin import Origin
from confbus_publisher.overrides.override import MAX_COUNT, Override, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path as FilePath

    from confbus.wire.path import Path

ABOVE_ALL = 2**64
"""A priority that no settings can name: numbers there have 64 bits."""


class OverridesSource:
    """The overrides that were in force at the last `take`. Not for use by several threads at once.

    `texts` is what the store keeps, by path. `known` are those of them that count, and those that ended; `problems`
    says of the others, by path, why not: malformed, or inside another one. Nothing in a value is expanded.
    """

    name = "overrides"
    priority = ABOVE_ALL
    watched: tuple[FilePath, ...] = ()

    def __init__(self, texts: Mapping[str, str] | None = None, *, at_ms: int = 0) -> None:
        self.problems: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.known: tuple[Override, ...] = ()
        self._readable: tuple[Override, ...] = ()
        self._unreadable: dict[str, str] = {}
        self._now_ms = at_ms
        self.in_force: tuple[Override, ...] = ()
        self._layer = _layer(())
        if texts:
            self.take(texts, at_ms=at_ms)

    def __repr__(self) -> str:
        return f"OverridesSource(in_force={[override.name for override in self.in_force]})"

    def take(self, texts: Mapping[str, str], *, at_ms: int) -> None:
        """These are there at that moment of the store."""
        if texts != self.texts:
            self.texts = dict(texts)
            self._readable = tuple(self._read(texts))
        self._now_ms = at_ms
        ended = [override for override in self._readable if override.has_ended(at_ms)]
        in_force = tuple(self._apart(override for override in self._readable if not override.has_ended(at_ms)))
        self.known = (*in_force, *ended)
        if in_force != self.in_force:
            self.in_force, self._layer = in_force, _layer(in_force)

    def load(self) -> Layer:
        """The layer of what is in force, and the very same one while that is the same; it cannot fail."""
        return self._layer

    @property
    def ended(self) -> dict[str, str]:
        """Those of the texts that are in force no more."""
        return {each.name: self.texts[each.name] for each in self.known if each.has_ended(self._now_ms)}

    @property
    def ends_in_s(self) -> float:
        """How long until the next one ends; infinite when none does."""
        ends_ms = [override.until_ms - self._now_ms for override in self.in_force if override.until_ms is not None]
        return (min(ends_ms) + 1) / 1000 if ends_ms else float("inf")

    def as_of(self, at_ms: int) -> OverridesSource:
        """The same at an earlier moment, as far as what is there still tells it."""
        then = OverridesSource()
        then.take({each.name: self.texts[each.name] for each in self.known if each.is_in_force(at_ms)}, at_ms=at_ms)
        return then

    def _read(self, texts: Mapping[str, str]) -> Iterable[Override]:
        self._unreadable = {}
        for name, text in sorted(texts.items()):
            try:
                override = parse(name, text)
                if override.name != name:
                    raise _ignored(name, f"its path is written {override.name}")
                yield override
            except Malformed as error:
                self._unreadable[name] = str(error)

    def _apart(self, overrides: Iterable[Override]) -> Iterable[Override]:
        """Those that lie in no other one, the outermost first."""
        self.problems = dict(self._unreadable)
        taken: dict[Path, Override] = {}
        for override in sorted(overrides, key=lambda override: (len(override.path), override.path)):
            outer = next((taken[path] for path in _prefixes(override.path) if path in taken), None)
            if outer or len(taken) == MAX_COUNT:
                reason = f"it lies inside the override {outer.name!r}" if outer else f"there are {MAX_COUNT} already"
                self.problems[override.name] = str(_ignored(override.name, reason))
            else:
                taken[override.path] = override
        return taken.values()


def _layer(overrides: Iterable[Override]) -> Layer:
    tree: dict[str, Any] = {}
    origins: dict[Path, Origin] = {(): Origin(source=OverridesSource.name)}
    for override in overrides:
        *inner, last = override.path
        at = tree
        for depth, key in enumerate(inner, start=1):
            at = at.setdefault(str(key), {})
            origins.setdefault(override.path[:depth], _origin(override))
        at[str(last)] = override.value
        below = paths(override.value) if isinstance(override.value, Frozen) else ((),)
        origins.update({(*override.path, *path): _origin(override) for path in below})
    return Layer(OverridesSource.name, ABOVE_ALL, freeze(tree), origins, kind="override")


def _origin(override: Override) -> Origin:
    return Origin(source=f"override {override.name} (`confbus unset {shlex.quote(override.name)}`)")


def _prefixes(path: Path) -> Iterable[Path]:
    return (path[:end] for end in range(1, len(path) + 1))


def _ignored(name: str, reason: str) -> Malformed:
    return Malformed(f"the override {name!r}", reason, advice=f"`confbus unset {shlex.quote(name)}` takes it away.")
