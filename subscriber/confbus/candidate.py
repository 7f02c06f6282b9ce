"""From a notice or a fetch to the candidate: what shall run next, as changes of what runs now, if nobody objects."""

from __future__ import annotations

from confbus.errors import Malformed, SealBroken
from confbus.events import Applied, Apply, Refused
from confbus.wire.codec import Undisturbed, digest
from confbus.wire.sections import decode_section, value_of
from confbus.wire.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from confbus.events import Fetched
    from confbus.local import Local
    from confbus.wire.notice import Notice
    from confbus.wire.sections import Assembly, Opener


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


def judged(apply: Apply, local: Local) -> Applied | Refused:
    """Offer `apply` to the local copy: it is what is read there from now on, or it was refused."""
    try:
        assembly = assemble(apply, local.unseal)
    except Malformed as error:
        return Refused(apply.head, str(error), is_damage=True)
    except SealBroken as error:
        return Refused(apply.head, str(error))
    reason = _taken_away(apply, assembly) or local.receive(snapshot(apply, assembly))
    return Refused(apply.head, reason) if reason else Applied(apply.head, assembly)


def assemble(apply: Apply, opener: Opener | None = None) -> Assembly:
    """The document with the changed sections put in, and what was locked, if there is a key by now.

    Raises `Malformed` when bytes and digests disagree, `SealBroken` as `opener` does.
    """
    with Undisturbed(sum(len(blob) for blob in apply.blobs.values() if blob is not None)):
        values = {
            name: None if blob is None else decode_section(name, blob, apply.manifest.sections[name], opener)
            for name, blob in apply.blobs.items()
        }
        for name, locked in apply.base.locked.items():
            if name not in values:
                values[name] = value_of(name, locked.blob, opener)
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
        locked=assembly.locked_places,
    )


def _taken_away(apply: Apply, assembly: Assembly) -> str:
    """What a process can read it does not lose for want of a key; only what comes anew may be locked."""
    open_before = apply.base.manifest.sections.keys() - apply.base.locked.keys()
    for name in sorted(assembly.locked.keys() & open_before):
        key = assembly.locked[name].key
        return f"{name}: it is sealed with the key {key} now, which is not here; what was read before stays"
    return ""
