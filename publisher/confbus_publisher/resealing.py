"""A content that went out, under the active key: for a rollback to what an older key sealed, and for a new key."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from confbus.errors import InvalidSettings, KeyLacking, Malformed, SealBroken
from confbus.keyring import READY
from confbus.wire import codec
from confbus.wire.manifest import Manifest
from confbus.wire.sealed import is_sealed, parse
from confbus.wire.sections import join, name_of, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.release import Release
    from confbus_publisher.seals import Seals

    Content = tuple[Release, dict[str, bytes]]
    """A release, and its blobs by digest."""


def keys_of(manifest: Manifest, blobs: Mapping[str, bytes]) -> dict[str, str]:
    """The id of the key of each sealed section; what no publisher sealed has none."""
    found: dict[str, str] = {}
    for name, digest in manifest.sections.items():
        if is_sealed(blobs[digest]):
            with suppress(Malformed):
                found[name] = parse(blobs[digest], what=f"section {name!r}").key
    return found


def vouch(manifest: Manifest, blobs: Mapping[str, bytes], seals: Seals) -> None:
    """See to it that `seals` can replace the seals of this content.

    Raises `KeyLacking` when the ring has not the key of one, or has not made that active yet: then the head is ahead
    of it, and no older key takes the place of a newer one.
    """
    sealed = keys_of(manifest, blobs)
    ring = seals.ring if sealed else ()
    known = {key.id: key for key in ring}
    for name, id in sealed.items():  # noqa: A001 — as in the keyring
        if id not in known:
            raise KeyLacking(name, id, f"{seals.where} does not have")
        if known[id].state == READY:
            raise KeyLacking(name, id, f"{seals.where} has not made active yet")


def is_due(manifest: Manifest, blobs: Mapping[str, bytes], seals: Seals) -> bool:
    """True when something in this content is sealed with another key than the active one, or shall be and is not."""
    sealed = keys_of(manifest, blobs)
    active = seals.ring.active if sealed or seals.keys else None
    if active is None:
        return False
    plain = (path_of(name)[:1] for name, digest in manifest.sections.items() if not is_sealed(blobs[digest]))
    return bool({*sealed.values()} - {active.id}) or any(place and place[0] in seals.keys for place in plain)


def resealed(release: Release, blobs: Mapping[str, bytes], seals: Seals) -> Content:
    """The release with all that is sealed, or shall be, under the active key; the very same one if that is so already.

    Raises `KeyLacking` as `vouch`, `SealBroken` or `Malformed` for what was altered, `InvalidSettings` as `Seals.ring`.
    """
    manifest = release.manifest
    vouch(manifest, blobs, seals)
    content = {digest: blobs[digest] for digest in manifest.sections.values()}
    if not is_due(manifest, content, seals):
        return release, content
    boxes, replaced = dict[str, bytes](), list[str]()
    for key, sections in _to_seal(manifest, content, seals).items():
        whole = name_of((key,))
        boxes[whole] = _box(whole, join(content, Manifest(sections), seals.open).document[key], seals)
        replaced += sections
    content.update((codec.digest(box), box) for box in boxes.values())
    changes = {**dict.fromkeys(replaced), **{name: codec.digest(box) for name, box in boxes.items()}}
    after = manifest.changed(changes)
    content = {digest: content[digest] for digest in after.sections.values()}
    size = sum(len(content[digest]) for digest in after.sections.values())
    return replace(release, manifest=after, size=size, same_as=release.content), content


def resealed_if_possible(release: Release, blobs: dict[str, bytes], seals: Seals | None) -> Content:
    """As `resealed`, or as it is without the keys: nothing keeps anybody from going back, and a publisher that has them
    seals it again afterwards."""
    try:
        return resealed(release, blobs, seals) if seals else (release, blobs)
    except (KeyLacking, SealBroken, InvalidSettings, Malformed):
        return release, blobs


def held_again(quarantine: Mapping[str, str], blobs: Mapping[str, bytes], seals: Seals) -> dict[str, str]:
    """What is in quarantine and can be opened, as pairs under the active key: the hold outlives the key."""
    found: dict[str, str] = {}
    for pair, why in quarantine.items():
        name, _, digest = pair.rpartition(" ")
        if not is_sealed(blobs.get(digest, b"")):
            continue
        try:
            value = join(blobs, Manifest({name: digest}), seals.open).document[str(path_of(name)[0])]
        except (SealBroken, Malformed, KeyError, IndexError):
            continue
        found[f"{name} {codec.digest(_box(name, value, seals))}"] = why
    return {pair: why for pair, why in found.items() if pair not in quarantine}


def _box(name: str, value: object, seals: Seals) -> bytes:
    active = seals.ring.active
    if active is None:
        raise InvalidSettings(seals.where, "no key in it is active", advice="`confbus keys generate` makes one.")
    return seals.box(active, name, codec.encode(value, at=path_of(name)))


def _to_seal(manifest: Manifest, blobs: Mapping[str, bytes], seals: Seals) -> dict[str, dict[str, str]]:
    """By top-level key, the sections of it that are one sealed section, or shall be; each with its digest."""
    found: dict[str, dict[str, str]] = {}
    for name, digest in manifest.sections.items():
        place = path_of(name)
        if place and (is_sealed(blobs[digest]) or place[0] in seals.keys):
            found.setdefault(str(place[0]), {})[name] = digest
    return found
