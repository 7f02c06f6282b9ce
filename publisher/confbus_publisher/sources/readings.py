"""Which path the name of a variable means.

`__` always separates levels. In a name without it, each `_` may separate levels or belong to a key; what is known
decides, without regard to case: the schema first, then what the other sources have. Where nothing is known, each `_`
separates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from confbus.wire.frozen import is_mapping
from confbus.wire.path import render
from confbus_publisher.formats.limits import DEPTH, Unfit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confbus.wire.path import Path
    from confbus_publisher.shape import Shape
    from confbus_publisher.sources.context import Context

_MOST_STEPS = 20_000
_MOST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Placed:
    """The path that a name means, and in words by which rule."""

    path: Path
    how: str


class Readings:
    """Reads the names of variables that begin with `prefix`, by what is known in `context`; without one, nothing is.

    For one load: what the context holds is remembered.
    """

    def __init__(self, prefix: str, context: Context | None = None) -> None:
        self._prefix = prefix
        self._known: list[tuple[str, _Known]] = []
        if context is not None:
            if context.shape is not None:
                self._known.append(("the schema", _Schema(context.shape)))
            self._known.append(("the other sources", _Tree(context.tree)))

    def place(self, name: str) -> Placed:
        """The path of the variable `name`, with the keys spelled as they are known, else in lower case.

        Raises `Unfit` when several readings are equally good, which are named, and when a key would be empty.
        """
        rest = name.removeprefix(self._prefix)
        is_marked = rest.startswith("_") and self._prefix.endswith("_")  # APP__LOG_LEVEL is log_level.
        if is_marked or "__" in rest:
            return self._marked(rest[1:] if is_marked else rest)
        parts = rest.split("_")
        if len(parts) > DEPTH:
            raise self._without_keys(parts)
        for where, known in self._known:
            found = _Walk(known, parts).readings()
            if len(found) == 1:
                return Placed(found[0], f"read as {render(found[0])}: the only reading in {where}")
            if found:
                raise self._ambiguous(found, where)
        path = self._lower(parts)
        return Placed(path, f"read as {render(path)}: {'each _ separates' if len(parts) > 1 else 'it has no _'}")

    def _marked(self, rest: str) -> Placed:
        """The path of a name whose levels are marked: only the case of its keys is open."""
        parts = rest.split("__")
        path = self._lower(parts)
        for where, known in self._known:
            found = _Walk(known, parts, is_marked=True).readings()
            exact = [reading for reading in (tuple(parts), path) if reading in found]
            if exact or len(found) == 1:
                path = (exact or found)[0]
                break
            if found:
                raise self._ambiguous(found, where)
        return Placed(path, f"read as {render(path)}: __ separates")

    def _lower(self, parts: list[str]) -> Path:
        if not all(parts) or len(parts) > DEPTH:
            raise self._without_keys(parts)
        return tuple(part.lower() for part in parts)

    def _without_keys(self, parts: list[str]) -> Unfit:
        reason = "its name has too many levels" if len(parts) > DEPTH else "a key in its name is empty"
        return Unfit(reason, f"Write {self._prefix}SECTION_KEY, or end the prefix with _.")

    def _ambiguous(self, found: list[Path], where: str) -> Unfit:
        spellings = [self._spelling(path).upper() for path in found]
        if len(set(spellings)) < len(spellings):  # They differ in case, which counts where levels are marked.
            spellings = [self._spelling(path) for path in found]
        shown = [f"{render(path)} (${spelling})" for path, spelling in zip(found, spellings, strict=True)]
        more = ", and others" if len(shown) > _MOST_SHOWN else ""
        reason = f"it can be read as {' or as '.join(shown[:_MOST_SHOWN])}{more}: all are in {where}"
        return Unfit(reason, "Rename it to the one that is meant; __ always separates.")

    def _spelling(self, path: Path) -> str:
        """The name that means `path` and nothing else."""
        lead = "_" if len(path) == 1 and "_" in str(path[0]) and self._prefix.endswith("_") else ""
        return f"{self._prefix}{lead}{'__'.join(str(key) for key in path)}"


class _Known(Protocol):
    """Something that knows paths. A place in it is whatever it needs to go on from there."""

    @property
    def root(self) -> Any: ...

    def spellings(self, place: Any, key: str) -> Iterator[tuple[str, Any]]:
        """Each key at `place` that is `key` in lower case, and its own place."""
        ...


@dataclass(slots=True)
class _Schema:
    shape: Shape
    root: Path = ()
    _names: dict[Path, dict[str, list[str]]] = field(default_factory=dict[Any, Any])

    def spellings(self, place: Path, key: str) -> Iterator[tuple[str, Path]]:
        if place not in self._names:
            self._names[place] = _by_lower_case(self.shape.keys(place))
        named = self._names[place].get(key, [])
        free = [key] if key not in named and self.shape.has_free_keys(place) else []
        for spelling in (*named, *free):
            if self.shape.has((*place, spelling)):
                yield spelling, (*place, spelling)


@dataclass(slots=True)
class _Tree:
    root: Mapping[str, Any]
    _names: dict[int, dict[str, list[str]]] = field(default_factory=dict[Any, Any])

    def spellings(self, place: Any, key: str) -> Iterator[tuple[str, Any]]:
        if not is_mapping(place):
            return
        if id(place) not in self._names:
            self._names[id(place)] = _by_lower_case(place)
        for spelling in self._names[id(place)].get(key, ()):
            yield spelling, place[spelling]


class _Walk:
    """All readings of the parts of one name that something knows. It follows what is known, and gives up when that
    lets too much open: of n parts there are 2ⁿ⁻¹ readings."""

    def __init__(self, known: _Known, parts: list[str], *, is_marked: bool = False) -> None:
        self._known = known
        self._parts = [part.lower() for part in parts]
        self._is_marked = is_marked
        self._steps = 0

    def readings(self) -> list[Path]:
        """In a stable order, and no more than are needed to name some."""
        found: list[Path] = []
        for reading in self._from(0, self._known.root, ()):
            found.append(reading)
            if len(found) > _MOST_SHOWN:
                break
        return sorted(found, key=str)

    def _from(self, begin: int, place: Any, path: Path) -> Iterator[Path]:
        ends = [begin + 1] if self._is_marked else range(begin + 1, len(self._parts) + 1)
        key = ""
        for end in ends:
            key = f"{key}_{self._parts[end - 1]}" if end > begin + 1 else self._parts[begin]
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise Unfit("its name can be read in too many ways", "Write __ between levels.")
            for spelling, inner in self._known.spellings(place, key) if key else ():
                if end == len(self._parts):
                    yield (*path, spelling)
                else:
                    yield from self._from(end, inner, (*path, spelling))


def _by_lower_case(keys: Any) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for key in sorted(keys):
        names.setdefault(key.lower(), []).append(key)
    return names
