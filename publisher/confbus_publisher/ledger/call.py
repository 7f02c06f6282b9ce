"""How a commit is spelled: the keys and arguments of the script that carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.wire import release as releases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.keys import Keys
    from confbus_publisher.ledger.store import Commit


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
