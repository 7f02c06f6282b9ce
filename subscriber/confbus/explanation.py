"""Why a value that this process reads is what it is: asked of Redis when somebody wants to know, never kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from confbus.connection import ask
from confbus.errors import ConfBusError, Unreachable
from confbus.link import reason_of
from confbus.secrets.filling import filled
from confbus.wire import origins, release
from confbus.wire.path import parse, render

if TYPE_CHECKING:
    from confbus.dial import Dial
    from confbus.wire import path as paths
    from confbus.wire.keys import Keys
    from confbus.wire.origins import Given
    from confbus.wire.release import Release
    from confbus.wire.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A value, the release that this process reads it from, and the layers of the merge that have to do with it, the
    uppermost first. `layers` is empty when the release or its origins are not kept any more. `overlaid` are the paths
    there, or above, at which this instance has a value of its own over all layers."""

    path: str
    value: Any = field(repr=False)
    version: int
    author: str = ""
    message: str = ""
    published_at: datetime | None = None
    layers: tuple[Given, ...] = ()
    overlaid: tuple[str, ...] = ()

    def __str__(self) -> str:
        own = [f"wins the overlay of this instance, at {', '.join(self.overlaid)}"] if self.overlaid else []
        told = [f"{each.effect} {each.place} ({each.kind}, priority {each.priority})" for each in self.layers]
        by = f" by {self.author}" if self.author else ""
        return "\n  ".join([f"{self.path}, as version {self.version}{by} has it", *own, *told])


def explain(dial: Dial, keys: Keys, snapshot: Snapshot, path: str | paths.Path) -> Explanation:
    """The explanation of what `snapshot` has at `path`, read over a connection of its own.

    Raises `UnknownPath`, `Unreachable` without an answer, and `Malformed` for what no publisher writes.
    """
    parts = parse(path) if isinstance(path, str) else tuple(path)
    value = _without_secrets(snapshot[path], parts, snapshot)
    try:
        kept, blobs = _read(dial, keys, snapshot)
    except ConfBusError:
        raise
    except Exception as error:
        raise Unreachable(dial.where, reason_of(error)) from error
    overlaid = tuple(own for own in snapshot.overlaid if _meet(parse(own), parts))
    if kept is None:
        return Explanation(path=render(parts), value=value, version=snapshot.version, overlaid=overlaid)
    known = [origins.decode(blob) for blob in blobs if blob is not None]
    return Explanation(
        path=render(parts),
        value=value,
        version=kept.version,
        author=kept.author,
        message=kept.message,
        published_at=datetime.fromtimestamp(kept.at_ms / 1000, UTC),
        overlaid=overlaid,
        layers=origins.trace(known, parts) if len(known) == len(blobs) else (),
    )


def _without_secrets(value: Any, parts: paths.Path, snapshot: Snapshot) -> Any:
    """`value`, which is at `parts`, with references as they were published: what they lead to is for no eyes."""
    depth = len(parts)
    references = {at[depth:]: each for at, each in snapshot.references.items() if at[:depth] == parts}
    return filled(value, references) if references else value


def _meet(one: paths.Path, other: paths.Path) -> bool:
    """True when one is the other, or above it."""
    depth = min(len(one), len(other))
    return one[:depth] == other[:depth]


def _read(dial: Dial, keys: Keys, snapshot: Snapshot) -> tuple[Release | None, list[bytes | None]]:
    """The release of the snapshot, and the origins of its layers."""
    connection = dial.open("confbus:explain")
    blobs: list[bytes | None] = []
    try:
        [fields] = ask(connection, ("HGETALL", keys.release(snapshot.version)))
        kept = _kept(fields, snapshot)
        if kept and kept.origins:
            [blobs] = ask(connection, ("HMGET", keys.blobs, *kept.origins))
    finally:
        connection.close()
    return kept, blobs


def _kept(fields: list[bytes], snapshot: Snapshot) -> Release | None:
    """The release of the snapshot, when it is there and not another one of the same number."""
    if not fields:
        return None
    texts = [text.decode("utf-8", "replace") for text in fields]
    found = release.parse(dict(zip(texts[::2], texts[1::2], strict=True)))
    return found if found.digest == snapshot.digest else None
