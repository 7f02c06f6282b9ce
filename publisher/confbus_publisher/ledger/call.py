"""How a commit is spelled: the keys and arguments of the script that carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.wire import release as releases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confbus.wire.keys import Keys
    from confbus.wire.release import Release
    from confbus_publisher.ledger.image import Image
    from confbus_publisher.ledger.store import Commit

HINT = b"\x80"
"""A notice that carries no facts: whoever hears it reads the head."""


def publish_call(keys: Keys, commit: Commit, notice_word: str) -> tuple[list[str], list[str | bytes | int]]:
    """KEYS and ARGV of publish.lua for `commit`."""
    parent, base = commit.parent, commit.base
    new_key = keys.release(commit.head.version)
    copied_key = keys.release(parent.version) if parent else new_key
    fields, removed = _release_fields(commit)
    lists: list[list[str | bytes]] = [
        flat(commit.head.fields()),
        flat(fields),
        list(removed),
        flat(commit.blobs),
        flat(commit.entry),
        flat(commit.quarantined),
        list(commit.lifted),
        [name.encode("utf-8", "surrogateescape") for name in commit.freed],
        flat(commit.restored),
        list(commit.withdrawn),
        flat(commit.guard.fields() if commit.guard else {}),
        flat(commit.holds),
    ]
    args: list[str | bytes | int] = [
        notice_word,
        base.epoch if base else "",
        str(base.revision) if base else "",
        commit.head.change,
        parent.digest if parent else "",
        str(commit.blob_count),
        commit.notice,
        commit.release.digest if commit.release else "",
        *(len(part) for part in lists),
    ]
    for part in lists:
        args.extend(part)
    releases_of = [keys.head, new_key, keys.blobs, keys.log, keys.quarantine, keys.notices, copied_key]
    beside = [keys.overrides, keys.approvals, keys.guard, keys.holds]
    return [*releases_of, *beside, *(keys.release(version) for version in commit.dropped)], args


def leave_call(
    keys: Keys, blobs: Mapping[str, bytes], releases: Sequence[Release]
) -> tuple[list[str], list[str | bytes | int]]:
    """KEYS and ARGV of leave.lua for these blobs and releases."""
    args: list[str | bytes | int] = [2 * len(blobs), *flat(blobs)]
    for release in releases:
        fields = release.fields()
        args.extend([2 * len(fields), *flat(fields)])
    return [keys.head, keys.blobs, *(keys.release(release.version) for release in releases)], args


def install_call(keys: Keys, image: Image, notice_word: str, *, tail: str) -> tuple[list[str], list[str | bytes | int]]:
    """KEYS and ARGV of install.lua for `image`."""
    lists: list[list[str | bytes]] = [
        [release.digest for release in image.releases],
        list(set(image.wanted())),
        flat(image.quarantine),
        flat(image.overrides),
        flat(image.approvals),
        flat(image.holds),
        flat(image.head.fields()),
    ]
    args: list[str | bytes | int] = [notice_word, HINT, image.head.change, tail, *map(len, lists)]
    for part in lists:
        args.extend(part)
    for entry in image.log:
        args.extend([entry.id, 2 * len(entry.fields), *flat(entry.fields)])
    beside = [keys.log, keys.quarantine, keys.overrides, keys.approvals, keys.holds, keys.notices]
    return [keys.head, keys.blobs, *beside, *(keys.release(release.version) for release in image.releases)], args


def flat(fields: Mapping[str, str] | Mapping[str, bytes]) -> list[str | bytes]:
    """Names and values by turns."""
    flat: list[str | bytes] = []
    for item in fields.items():
        flat.extend(item)
    return flat


def _release_fields(commit: Commit) -> tuple[dict[str, str], list[str]]:
    release = commit.release
    if release is None:
        return {}, []
    if commit.parent is None:
        return release.fields(), []
    kept = {name: blob for name, blob in commit.changes.items() if blob is not None}
    removed = releases.section_fields({name: "" for name, blob in commit.changes.items() if blob is None})
    return {**release.notes(), **releases.section_fields(kept)}, list(removed)
