"""The pub/sub message of one head change: a hint, and when small also the content itself.

A msgpack map. `sections` gives for each changed section its blob (bytes), its digest (text) when the blob would not
fit, or nil when the section is gone. The empty map is a notice too: it says only "read the head".
"""

from __future__ import annotations

from confbus.errors import Malformed
from confbus.wire import codec
from confbus.wire import head as heads
from confbus.wire.frozen import is_mapping
from confbus.wire.record import field, record
from confbus.wire.release import MAX_AT_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from confbus.wire.manifest import Manifest

MAX_BYTES = 8 * 1024
"""Redis slows down 3-20 times when a message outgrows its 16 KB reply buffers; half of that leaves room."""

MAX_JITTER_MS = 60_000
_FETCH_BYTES_PER_MS = 100_000
"""How fast a fleet may fetch a release from one server without anybody else noticing: 100 MB/s."""
_MAX_SPREAD_MS = 30_000

HINT = b"\x80"
"""The notice without facts, as rollback.lua sends it."""


@record(frozen=True, slots=True)
class Notice:
    """What changed, as the publisher told it. `head.merged` is not sent.

    `base` and `head.digest` are the document digests before and after; `sections` is None when the list of changes
    itself was too long. `jitter_ms` spreads the fetches of a large fleet.
    """

    head: heads.Head
    base: str = ""
    sections: Mapping[str, bytes | str | None] | None = field(default=None, repr=False)
    at_ms: int = 0
    jitter_ms: int = 0

    def encode(self) -> bytes:
        """At most 8 KB: without the blobs, then without the list of sections when it would be more."""
        whole = self._pack(self.sections)
        if len(whole) <= MAX_BYTES or self.sections is None:
            return whole
        return self._pack(None)

    def _pack(self, sections: Mapping[str, bytes | str | None] | None) -> bytes:
        facts: dict[str, Any] = self.head.fields()
        del facts["merged"]
        facts.update(base=self.base, sections=sections, at=self.at_ms, jitter_ms=self.jitter_ms)
        return codec.pack(facts)


def telling(
    head: heads.Head,
    before: Manifest,
    changes: Mapping[str, str | None],
    blobs: Mapping[str, bytes],
    *,
    at_ms: int,
    fleet_size: int = 0,
) -> Notice:
    """The notice of the step from `before` to `head`: with the changed blobs if they fit, else with a jitter."""
    changed = {name: digest and blobs.get(digest, digest) for name, digest in changes.items()}
    size = sum(len(blob) for blob in changed.values() if isinstance(blob, bytes))
    is_inline = size <= MAX_BYTES
    return Notice(
        head,
        base=before.digest,
        sections=changed if is_inline else changes,
        at_ms=at_ms,
        jitter_ms=0 if is_inline else min(fleet_size * size // _FETCH_BYTES_PER_MS, _MAX_SPREAD_MS),
    )


@record(frozen=True, slots=True)
class Hint:
    """A notice that says only: read the head."""

    reason: str = field(default="")


def decode(message: bytes) -> Notice | Hint:
    """The notice in a message. Raises `Malformed` for anything that no publisher sends."""
    if message == HINT:
        return Hint()
    if len(message) > 2 * MAX_BYTES:
        raise Malformed("a notice", f"it has {len(message)} bytes")
    facts = codec.unpack(message, what="a notice")
    try:
        return Notice(
            head=heads.parse(facts),
            base=_text(facts["base"]),
            sections=_sections(facts["sections"]),
            at_ms=max(0, min(int(facts["at"]), MAX_AT_MS)),
            jitter_ms=max(0, min(int(facts["jitter_ms"]), MAX_JITTER_MS)),
        )
    except Malformed:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise Malformed("a notice", type(error).__name__) from None


def _text(value: Any) -> str:
    """No `str()` here: of a list in a list in a list … it ends at the stack's limit."""
    if not isinstance(value, str):
        raise Malformed("a notice", "its base is no text")
    return value


def _sections(value: Any) -> dict[str, bytes | str | None] | None:
    if value is None:
        return None
    if (
        not is_mapping(value)
        or not set(map(type, value)) <= {str}
        or not all(isinstance(blob, bytes | str | None) for blob in value.values())
    ):
        raise Malformed("a notice", "its sections are no map of names to blobs")
    return value
