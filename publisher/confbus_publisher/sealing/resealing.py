"""A content that went out, under the active key: for a rollback to what an older key sealed, and for a new key.

Only what opens is sealed again. A section that stands in Redis as plain text stays that: whoever can write there may
have put it there, and a seal would vouch for it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from confbus.errors import InvalidSettings, KeyLacking, Malformed, SealBroken
from confbus.keyring import READY
from confbus.wire import codec
from confbus.wire.sealed import is_sealed, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.manifest import Manifest
    from confbus.wire.release import Release
    from confbus_publisher.sealing.seals import Seals

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
    """True when something in this content is sealed with another key than the active one."""
    sealed = keys_of(manifest, blobs)
    active = seals.ring.active if sealed else None
    return active is not None and any(id != active.id for id in sealed.values())  # noqa: A001 — as in the keyring


def resealed(release: Release, blobs: Mapping[str, bytes], seals: Seals) -> Content:
    """The release with all that is sealed under the active key; the very same one if that is so already.

    Raises `KeyLacking` as `vouch`, `SealBroken` or `Malformed` for what was altered, `InvalidSettings` as `Seals.ring`.
    """
    manifest = release.manifest
    vouch(manifest, blobs, seals)
    content = {digest: blobs[digest] for digest in manifest.sections.values()}
    if not is_due(manifest, content, seals):
        return release, content
    boxes = {name: _box(name, content[manifest.sections[name]], seals) for name in keys_of(manifest, content)}
    after = manifest.changed({name: codec.digest(box) for name, box in boxes.items()})
    content.update((codec.digest(box), box) for box in boxes.values())
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
    """What is in quarantine and can be opened, as pairs under the active key: quarantine outlives the key."""
    found: dict[str, str] = {}
    for pair, why in quarantine.items():
        name, _, digest = pair.rpartition(" ")
        if is_sealed(blobs.get(digest, b"")):
            with suppress(SealBroken, Malformed, KeyLacking):
                found[f"{name} {codec.digest(_box(name, blobs[digest], seals))}"] = why
    return {pair: why for pair, why in found.items() if pair not in quarantine}


def _box(name: str, blob: bytes, seals: Seals) -> bytes:
    """The same section under the active key."""
    envelope, active = parse(blob, what=f"section {name!r}"), seals.ring.active
    plain = seals.open(name, envelope)
    if plain is None or active is None:
        raise KeyLacking(name, envelope.key, f"{seals.where} does not have")
    return seals.box(active, name, plain)
