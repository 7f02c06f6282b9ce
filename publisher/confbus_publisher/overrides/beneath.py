"""What was rolled back, with the overrides taken off: none that is set, changes or ends lets it out again.

The quarantine knows the content of a section by its digest, and each override makes that another one, while the sources
still say what was rolled back.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from confbus.errors import InvalidSettings, Malformed, SealBroken
from confbus.wire import codec
from confbus.wire.diff import same
from confbus.wire.frozen import Frozen, is_mapping
from confbus.wire.sections import is_sealed, path_of, value_of
from confbus_publisher.decision import held_pairs
from confbus_publisher.sources.overrides import OverridesSource

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from confbus.wire.path import Path
    from confbus.wire.sections import Opener
    from confbus_publisher.inputs import Merge
    from confbus_publisher.ledger import Ledger, State
    from confbus_publisher.overrides.override import Override


def guises(
    merge: Merge, ledger: Ledger, state: State | None, quarantine: Collection[str], overrides: Collection[Override]
) -> Callable[[str], Collection[str]]:
    """As `merge.guises`, and for each section also the digests in `quarantine` of what is the same as in `merge` but
    for `overrides`, those among them that ended included, sealed or not.

    Where the head in `state` is the same but for those too, it was an override that was rolled back: another one is not
    held. Raises `Unreachable`. What is not kept any more, or does not open, is not known.
    """
    places = [place for each in overrides for place in _leaves(each.value, each.path)]
    pairs = [pair.rpartition(" ")[::2] for pair in quarantine] if state and places else []
    touched = {name: below for name, _ in pairs if name in merge.manifest and (below := _below(name, places))}
    digests = {digest for name, digest in pairs if name in touched}
    blobs = ledger.store.blobs(digests) if digests else {}
    opener = ledger.seals.open if ledger.seals else None
    found: dict[str, set[str]] = {}
    for name, digest in pairs:
        if state and name in touched and digest in blobs:
            head = state.blobs.get(state.release.manifest.sections.get(name, ""), codec.encode({}))
            was, runs = (_content(name, blob, opener) for blob in (blobs[digest], head))
            if _is_held(_now(merge, name), was, runs, touched[name]):
                found.setdefault(name, set()).add(digest)
    return lambda name: {*merge.guises(name), *found.get(name, ())}


def held_now(merge: Merge, ledger: Ledger, state: State | None, quarantine: Collection[str]) -> dict[str, list[str]]:
    """As `held_pairs`, with the overrides that are there. Raises `Unreachable`, and `Refused` when they must not be
    read."""
    seen = ledger.store.overrides() if quarantine else None
    known = OverridesSource(seen.texts, at_ms=seen.now_ms).known if seen else ()
    found = guises(merge, ledger, state, quarantine, known)
    running = state.release.manifest if state else None
    return held_pairs(merge.manifest, quarantine, aliases=merge.aliases, guises=found, running=running)


def _is_held(now: Frozen, was: Frozen | None, runs: Frozen | None, below: list[Path]) -> bool:
    if was is None or not same(_without(was, below), _without(now, below)):
        return False
    return runs is None or not same(_without(runs, below), _without(now, below))


def _now(merge: Merge, section: str) -> Frozen:
    blob = merge.encoded.blobs[section]
    found = merge.tree[str(path_of(section)[0])] if is_sealed(blob) else value_of(section, blob)
    return cast("Frozen", found)


def _content(section: str, blob: bytes, opener: Opener | None) -> Frozen | None:
    """What is in the bytes of a section, if it can be read."""
    with suppress(Malformed, SealBroken, InvalidSettings):
        found = value_of(section, blob, opener)
        return found if isinstance(found, Frozen) else None
    return None


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    """Where an override has values: a mapping is merged key by key."""
    if not is_mapping(value):
        yield path
        return
    for key, part in value.items():
        yield from _leaves(part, (*path, key))


def _below(section: str, places: Iterable[Path]) -> list[Path]:
    """Those of the places that are in a section, from there on; the empty one when all of it is overridden."""
    top = path_of(section)
    return [place[len(top) :] for place in places if place[: len(top)] == top[: len(place)]]


def _without(content: Any, places: Iterable[Path]) -> Any:
    for place in places:
        content = _cut(content, place)
    return content


def _cut(content: Any, place: Path) -> Mapping[Any, Any]:
    """`content` without what is at `place`, and without mappings in which that was alone."""
    if not place or not is_mapping(content):
        return {}
    if place[0] not in content:
        return content
    rest = {key: value for key, value in content.items() if key != place[0]}
    inner = _cut(content[place[0]], place[1:])
    return {**rest, place[0]: inner} if inner else rest
