"""The merged document with every `${…}` in its values replaced, once, by what it stands for.

It happens after the merge, so only values that won are expanded, and each failure has the place of its own value.
Whether a value may be expanded at all is up to the layer that it came from: nobody who writes a remote document can
read the publisher's environment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidDocument
from confbus.wire.frozen import Frozen, FrozenList
from confbus.wire.path import render
from confbus_publisher.expansion.interpolation import Reference, parse
from confbus_publisher.expansion.resolution import Resolution, Solved, Written
from confbus_publisher.expansion.substitutes import Substitutes
from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path as FilePath

    from confbus.wire.path import Path
    from confbus_publisher.expansion.file_roots import FileRoots
    from confbus_publisher.expansion.resolution import Step
    from confbus_publisher.origin import Origin
    from confbus_publisher.shape import Shape


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reference that may not mean what its author thinks; worth a warning."""

    path: Path
    origin: Origin
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Expanded:
    """The expanded tree, and how each expanded value came about, by its path; what stands in a list has a path too.

    With `errors` there is no document to publish: the tree is as it was before.
    """

    tree: Frozen = field(repr=False)
    steps: Mapping[Path, Step] = field(repr=False)
    doubts: tuple[Doubt, ...] = ()
    errors: tuple[InvalidDocument, ...] = ()

    def is_expanded(self, path: Path) -> bool:
        """True when the value at `path`, or one that it is part of, was written with a reference in it."""
        return any(path[:end] in self.steps for end in range(1, len(path) + 1))


class Expander:
    """Expands one document again and again, and remembers: what is made of the very same as before is the very same
    object. A section without references is the one that was given.

    Variables are those of the process when they are not given; without `files`, no file is read. Not for use by
    several threads at once.
    """

    def __init__(self, files: FileRoots | None = None, *, variables: Mapping[str, str] | None = None) -> None:
        self._substitutes = Substitutes(files, variables)
        self._scans: dict[str, tuple[Any, dict[Path, str]]] = {}
        self._written: dict[str, Written] = {}
        self._solved: Mapping[Path, Solved] = {}
        self._last: tuple[Frozen, Shape | None, Expanded] | None = None

    @property
    def watched(self) -> tuple[FilePath, ...]:
        """The directories in which something changes when a file does that the last document named."""
        return self._substitutes.watched

    def is_current(self) -> bool:
        """True while the variables and files that the last document named are what they were."""
        return self._substitutes.are_current()

    def expand(
        self,
        tree: Frozen,
        *,
        origin: Callable[[Path], Origin],
        interpolates: Callable[[Path], bool],
        shape: Shape | None = None,
    ) -> Expanded:
        """`tree` with its references replaced; the very same answer while nothing changed that it depends on.

        A value that is exactly one reference has the type that `shape` allows there; without, that of its looks, or
        of the value that it refers to. Any other is a string, unless the shape allows none. Every failure is in
        `errors`, in the order of the document, and holds no value.
        """
        if self._last is not None and self._last[0] is tree and self._last[1] is shape and self.is_current():
            return self._last[2]
        texts = {path: text for path, text in self._texts(tree) if interpolates(path)}
        self._written = {text: self._written.get(text) or _written(text) for text in texts.values()}
        written = {path: self._written[text] for path, text in texts.items()}
        self._substitutes = self._substitutes.renewed()
        resolution = Resolution(tree, written, self._substitutes, shape=shape, known=self._solved)
        self._solved = resolution.solved
        failures = [(path, resolution.failures[path]) for path in texts if path in resolution.failures]
        expanded = Expanded(
            resolution.solved[()].value if texts and not failures else tree,
            resolution.steps,
            tuple(_doubts(written, origin)),
            tuple(_refused(path, origin(path), unfit) for path, unfit in failures),
        )
        self._last = (tree, shape, expanded)
        return expanded

    def _texts(self, tree: Frozen) -> Iterator[tuple[Path, str]]:
        """The strings with a `${`. Only sections that are not the same objects as before are looked through."""
        before, self._scans = self._scans, {}
        for key, value in tree.items():
            scan = before.get(key)
            if scan is None or scan[0] is not value:
                scan = (value, dict(_found([(key, value)], ())))
            self._scans[key] = scan
            yield from scan[1].items()


def _found(entries: Iterable[tuple[str | int, Any]], path: Path) -> Iterator[tuple[Path, str]]:
    for key, value in entries:
        if isinstance(value, str):
            if "${" in value:
                yield (*path, key), value
        elif isinstance(value, Frozen):
            yield from _found(value.items(), (*path, key))
        elif isinstance(value, FrozenList):
            yield from _found(enumerate(value), (*path, key))


def _written(text: str) -> Written:
    try:
        return Written(text, parse(text))
    except Unfit as unfit:
        return Written(text, unfit)


def _doubts(written: Mapping[Path, Written], origin: Callable[[Path], Origin]) -> Iterator[Doubt]:
    for path, each in written.items():
        parts = () if isinstance(each.parts, Unfit) else each.parts
        for part in parts:
            if isinstance(part, Reference) and part.is_doubtful:
                reason = f"the default of {part.name} is a number without a minus: `:-` is the form of a shell"
                advice = f"Write ${{{part.name}:5}} for 5, and ${{{part.name}:--5}} for -5."
                yield Doubt(path, origin(path), reason, advice)


def _refused(path: Path, origin: Origin, unfit: Unfit) -> InvalidDocument:
    return InvalidDocument(render(path), unfit.reason, origin=str(origin), advice=unfit.advice)
