"""From a notice or a fetch to the candidate: what shall run next, as changes of what runs now, if nobody objects."""

from __future__ import annotations

from confbus.errors import Malformed, SealBroken
from confbus.events import Applied, Apply, Refused
from confbus.wire.codec import Undisturbed, digest
from confbus.wire.sections import decode_section, is_sealed, path_of, value_of
from confbus.wire.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

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
    """Offer `apply` to the local copy: it is what is read there from now on, or it was refused. Raises `Awaited` while
    a vault is asked for the first time: others need this thread."""
    try:
        assembly = assemble(apply, local.unsealing.opener(apply.blobs.values()))
    except Malformed as error:
        return Refused(apply.head, str(error), is_damage=True)
    except SealBroken as error:
        return Refused(apply.head, str(error))
    refusal = _taken_away(apply, assembly) or _laid_open(apply, assembly, local.unsealing.required)
    reason = refusal or local.receive(snapshot(apply, assembly), waits=False)
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
        references=assembly.references,
    )


def _taken_away(apply: Apply, assembly: Assembly) -> str:
    """What a process can read it does not lose for want of a key; only what comes anew may be locked."""
    if not assembly.locked:
        return ""
    open_before = {path_of(name)[:1] for name in apply.base.manifest if name not in apply.base.locked}
    for name, locked in sorted(assembly.locked.items()):
        if path_of(name)[:1] in open_before:
            return f"{name}: it is sealed with the key {locked.key} now, which is not here; what was read before stays"
    return ""


def _laid_open(apply: Apply, assembly: Assembly, sealed: Collection[str]) -> str:
    """What is to be sealed does not come in plain text: whoever can write to Redis, and has no key, writes that."""
    for name, blob in apply.blobs.items() if sealed else ():
        if blob is None or is_sealed(blob):
            continue
        found = next((key for key in path_of(name)[:1] or assembly.loose if key in sealed), None)
        if found is not None:
            return f"{found}: it comes in plain text, and this process takes it sealed only"
    return ""
