"""One change of a head, as the commands that make it. What it needs is written first, so that a reader finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confbus.connection import Word
    from confbus.wire.head import Head
    from confbus.wire.keys import Keys
    from confbus.wire.release import Release


def commands(
    keys: Keys,
    head: Head,
    notice: bytes,
    *,
    release: Release | None = None,
    blobs: Mapping[str, bytes] | None = None,
    dropped: Iterable[int] = (),
    freed: Iterable[str] = (),
) -> list[tuple[Word, ...]]:
    """Blobs, the release when it is new, the head, deletions, then the notice."""
    made: list[tuple[Word, ...]] = []
    if blobs:
        made.append(("HSET", keys.blobs, *_flat(blobs)))
    if release is not None:
        made += [("DEL", keys.release(release.version)), _put(keys.release(release.version), release.fields())]
    made += [("DEL", keys.head), _put(keys.head, head.fields())]
    made += [("DEL", keys.release(version)) for version in dropped]
    made += [("HDEL", keys.blobs, digest) for digest in freed]
    return [*made, ("PUBLISH", keys.notices, notice)]


def _put(key: str, fields: Mapping[str, str]) -> tuple[Word, ...]:
    return ("HSET", key, *_flat(fields))


def _flat(fields: Mapping[str, Word]) -> list[Word]:
    return [word for field in fields.items() for word in field]
