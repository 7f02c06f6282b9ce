"""What was rolled back, with the overrides taken off: none that is set, changes or ends lets it out again.

The quarantine knows the content of a section by its digest, and each override makes that another one, while the sources
still say what was rolled back.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from confbus.errors import Malformed
from confbus.wire import codec
from confbus.wire.diff import same
from confbus.wire.frozen import is_mapping
from confbus.wire.sections import is_sealed, path_of, value_of
from confbus_publisher.sources.overrides import OverridesSource

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from confbus.wire.path import Path
    from confbus_publisher.inputs import Merge
    from confbus_publisher.ledger import State, Store
    from confbus_publisher.overrides.override import Override


def guises(
    merge: Merge, state: State | None, store: Store, quarantine: Collection[str], overrides: Collection[Override]
) -> Callable[[str], Collection[str]]:
    """As `merge.guises`, and for each section also the digests in `quarantine` of what is the same as in `merge` but
    for `overrides`, those among them that ended included.

    Where the head is the same but for those too, it was an override that was rolled back: another one is not held.
    Raises `Unreachable`. What is not kept any more is not known.
    """
    places = [place for each in overrides for place in _leaves(each.value, each.path)]
    pairs = [pair.rpartition(" ")[::2] for pair in quarantine] if state and places else []
    touched = {name: below for name, _ in pairs if name in merge.manifest and (below := _below(name, places))}
    digests = {digest for name, digest in pairs if name in touched}
    blobs = store.blobs(digests) if digests else {}
    found: dict[str, set[str]] = {}
    for name, digest in pairs:
        if state and name in touched and _is_it(merge, state, name, blobs.get(digest), touched[name]):
            found.setdefault(name, set()).add(digest)
    return lambda name: {*merge.guises(name), *found.get(name, ())}


def guises_now(
    merge: Merge, state: State | None, store: Store, quarantine: Collection[str]
) -> Callable[[str], Collection[str]]:
    """As `guises`, with the overrides that are in `store`. Raises `Refused` when they must not be read."""
    seen = store.overrides() if quarantine else None
    known = OverridesSource(seen.texts, at_ms=seen.now_ms).known if seen else ()
    return guises(merge, state, store, quarantine, known)


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


def _is_it(merge: Merge, state: State, name: str, blob: bytes | None, below: list[Path]) -> bool:
    now = merge.encoded.blobs[name]
    head = state.blobs.get(state.release.manifest.sections.get(name, ""), codec.encode({}))
    if blob is None or any(map(is_sealed, (now, head, blob))):
        return False
    with suppress(Malformed):
        was, is_now, runs = (_without(value_of(name, each), below) for each in (blob, now, head))
        return same(was, is_now) and not same(runs, is_now)
    return False


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
