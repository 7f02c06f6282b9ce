"""What a process runs when it refuses the first release that it meets: the newest earlier one that it accepts."""

from __future__ import annotations

from confbus import candidate
from confbus.events import Apply, Found
from confbus.wire.head import new_id
from confbus.wire.manifest import EMPTY
from confbus.wire.record import replace
from confbus.wire.sections import NOTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.local import Local
    from confbus.namespace import Namespace
    from confbus.wire.head import Head
    from confbus.wire.release import Release

MAX_STEPS = 16


def find(namespace: Namespace, local: Local, refused: Head) -> tuple[Found, Apply] | None:
    """Offer the releases before `refused`, newest first, till one is accepted; None when none of those kept is.

    Contents that were rolled back are not offered, nor is any content twice. Raises `Malformed` for what is damaged,
    and whatever the link raises.
    """
    held = namespace.quarantine()
    tried = {refused.digest}
    for release in _before(namespace, refused):
        pairs = {f"{section} {digest}" for section, digest in release.manifest.sections.items()}
        if release.digest in tried or not held.isdisjoint(pairs):
            continue
        tried.add(release.digest)
        # Nothing tells the head that it was published with: the revision is at most this one, and nobody has its id.
        head = replace(
            refused,
            version=release.version,
            digest=release.digest,
            revision=max(0, refused.revision - (refused.version - release.version)),
            change=new_id(),
        )
        apply = Apply(head, NOTHING, release.manifest, namespace.content(release, EMPTY), release.at_ms)
        assembly = candidate.assemble(apply)
        if not local.receive(candidate.snapshot(apply, assembly)):
            return Found(head, assembly), apply
    return None


def _before(namespace: Namespace, head: Head) -> Iterator[Release]:
    version = namespace.release(head.version).parent
    for _ in range(MAX_STEPS):
        if version <= 0:
            return
        release = namespace.release(version)
        yield release
        version = min(release.parent, version - 1)
