"""Why a value is what it is: the layers that gave it, and the release since which it is so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confbus.errors import Malformed, NoRelease
from confbus.wire import origins
from confbus.wire.diff import same
from confbus.wire.frozen import is_mapping
from confbus.wire.path import leaves, lookup
from confbus.wire.sections import around, join, name_of
from confbus_publisher.provenance import origins_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confbus.wire.origins import Given, Origins
    from confbus.wire.path import Path
    from confbus.wire.release import Release
    from confbus.wire.sections import Assembly
    from confbus_publisher.expansion.resolution import Step
    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.ledger import Ledger

_MOST_RELEASES = 200


class Absent:
    """The value where there is none, or where it is not known."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Sealed:
    """In place of a value in a sealed section: the digest of that section, by which one tells whether it changed."""

    section: str


@dataclass(frozen=True, slots=True)
class Part:
    """What one layer has to do with a value; `value` is `ABSENT` where it gave none, or where that is not known."""

    given: Given
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A value, and the layers that have to do with it, the uppermost first.

    `step` is how `${…}` in it came about, `how` by which rules a variable was placed and typed, `types` what the schema
    allows.
    """

    path: Path
    value: Any = field(repr=False)
    parts: tuple[Part, ...]
    step: Step | None = None
    how: str = ""
    types: frozenset[str] = frozenset()


def of_merge(inputs: Inputs, merge: Merge, path: Path) -> list[Explanation]:
    """Every value at and below `path`, as the sources say it now. Empty when there is none."""
    merged, sealed = merge.merged, inputs.seals.keys
    layers = origins_of(merged)
    trees = {layer.source: layer.tree for layer in merged.layers}
    return [
        Explanation(
            at,
            Sealed(merge.manifest.sections.get(name_of(at[:1]), "")) if at[0] in sealed else value,
            tuple(
                Part(each, ABSENT if at[0] in sealed else value_at(trees[each.source], at))
                for each in origins.trace(layers, at)
            ),
            merge.expanded.steps.get(at),
            inputs.how(at),
            inputs.types(at),
        )
        for at, value in _values(merge.tree, path)
    ]


def of_release(ledger: Ledger, release: Release, path: Path) -> list[Explanation]:
    """Every value at and below `path` in a release, by the origins that went out with it; `parts` are empty when
    those are not kept, and know no values but the one that won."""
    layers = _recorded(ledger, release)
    manifest = around(release.manifest, path) if path else release.manifest
    there = join(ledger.blobs(manifest), manifest)
    known = _values(there.document, path)
    known += [(path if path[:1] == place else place, _sealed(there, place)) for place in _locked(there, path)]
    return [Explanation(at, value, _parts(origins.trace(layers, at), value)) for at, value in known]


def since(ledger: Ledger, release: Release, path: Path) -> Release:
    """The release with which the value at `path` became what it is in `release`, as far back as releases are kept.

    Of each older release it reads what may hold the value, and only where that differs from the one after it.
    """
    first, seen = release, around(release.manifest, path)
    value = value_in(ledger, release, path)
    for older in ledger.history(_MOST_RELEASES):
        if older.version >= release.version:
            continue
        there = around(older.manifest, path)
        if there != seen and older.content == first.content:
            value = value_in(ledger, older, path)  # the same, under another key
        elif there != seen and not same(value, value_in(ledger, older, path)):
            break
        first, seen = older, there
    return first


def value_in(ledger: Ledger, release: Release, path: Path) -> Any:
    """The value at `path` in a release; `ABSENT` when there is none, or when it is not kept any more."""
    manifest = around(release.manifest, path)
    try:
        there = join(ledger.blobs(manifest), manifest)
    except NoRelease:
        return ABSENT
    return _sealed(there, path[:1]) if path[:1] in there.locked_places else value_at(there.document, path)


def value_at(tree: Mapping[str, Any], path: Path) -> Any:
    """The value at `path`, or `ABSENT`."""
    try:
        return lookup(tree, path)
    except KeyError:
        return ABSENT


def _locked(there: Assembly, path: Path) -> list[Path]:
    """The sealed sections that `path` is in, or around."""
    return [place for place in sorted(there.locked_places) if not path or place == path[:1]]


def _sealed(there: Assembly, place: Path) -> Sealed:
    return Sealed(there.manifest.sections[name_of(place)])


def _parts(given: Sequence[Given], value: Any) -> tuple[Part, ...]:
    is_known = not isinstance(value, Sealed)
    return tuple(Part(each, value if is_known and each.effect == origins.WINS else ABSENT) for each in given)


def _values(tree: Mapping[str, Any], path: Path) -> list[tuple[Path, Any]]:
    found = value_at(tree, path)
    if is_mapping(found) and found:
        return sorted(leaves(found, path), key=lambda each: each[0])
    return [] if found is ABSENT else [(path, found)]


def _recorded(ledger: Ledger, release: Release) -> list[Origins]:
    blobs = ledger.store.blobs(release.origins)
    if len(blobs) < len(set(release.origins)):
        return []
    try:
        return [origins.decode(blobs[digest]) for digest in release.origins]
    except Malformed:
        return []
