"""From a notice or a fetch to the candidate: what shall run next, as changes of what runs now, if nobody objects."""

from __future__ import annotations

from confbus.events import Apply
from confbus.wire.codec import Undisturbed, digest
from confbus.wire.sections import decode_section
from confbus.wire.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from confbus.events import Fetched
    from confbus.wire.notice import Notice
    from confbus.wire.sections import Assembly


def from_notice(notice: Notice, running: Assembly) -> Apply | None:
    """The candidate, if the blobs of the notice turn exactly what runs into exactly what its head names; else None."""
    if notice.sections is None:
        return None
    changes: dict[str, str | None] = {}
    blobs: dict[str, bytes | None] = {}
    for name, blob in notice.sections.items():
        if isinstance(blob, str):
            return None
        changes[name] = blob if blob is None else digest(blob)
        blobs[name] = blob
    manifest = running.manifest.changed(changes)
    return Apply(notice.head, running, manifest, blobs, notice.at_ms) if manifest.digest == notice.head.digest else None


def from_fetch(fetched: Fetched, running: Assembly) -> Apply:
    """The candidate of a fetch: sections that the release has not are gone."""
    blobs: dict[str, bytes | None] = dict.fromkeys(running.manifest.changes_to(fetched.manifest))
    blobs.update(fetched.blobs)
    return Apply(fetched.head, running, fetched.manifest, blobs, fetched.at_ms)


def assemble(apply: Apply) -> Assembly:
    """The document with the changed sections put in. Raises `Malformed` when bytes and digests disagree."""
    with Undisturbed(sum(len(blob) for blob in apply.blobs.values() if blob is not None)):
        values = {
            name: None if blob is None else decode_section(name, blob, apply.manifest.sections[name])
            for name, blob in apply.blobs.items()
        }
        return apply.base.changed(apply.manifest, values)


def snapshot(apply: Apply, assembly: Assembly) -> Snapshot:
    """What readers would read."""
    head = apply.head
    return Snapshot(
        assembly.document,
        version=head.version,
        revision=head.revision,
        epoch=head.epoch,
        digest=head.digest,
        at_ms=apply.at_ms,
    )
