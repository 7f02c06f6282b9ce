"""What a process runs when it refuses the first release that it meets: the newest earlier one that it accepts."""

from __future__ import annotations

from confbus import candidate
from confbus.errors import Malformed
from confbus.events import Applied, Apply, Found
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

    Contents that were rolled back are not offered, nor is any content twice, nor what is damaged. Raises whatever the
    link raises.
    """
    held = namespace.quarantine()
    tried = {refused.digest}
    for release in _before(namespace, refused):
        pairs = {f"{section} {digest}" for section, digest in release.manifest.sections.items()}
        if release.digest in tried or not held.isdisjoint(pairs):
            continue
        tried.add(release.digest)
        try:
            apply = _candidate(namespace, release, refused)
        except Malformed:
            continue
        event = candidate.judged(apply, local)
        if isinstance(event, Applied):
            return Found(apply.head, event.assembly), apply
    return None


def _candidate(namespace: Namespace, release: Release, refused: Head) -> Apply:
    # Nothing tells the head that it was published with: the revision is at most this one, and nobody has its id.
    head = replace(
        refused,
        version=release.version,
        digest=release.digest,
        revision=max(0, refused.revision - (refused.version - release.version)),
        change=new_id(),
    )
    return Apply(head, NOTHING, release.manifest, namespace.content(release, EMPTY), release.at_ms)


def _before(namespace: Namespace, head: Head) -> Iterator[Release]:
    """Those of the last versions that are kept and whole, newest first."""
    for version in range(head.version - 1, max(0, head.version - 1 - MAX_STEPS), -1):
        try:
            yield namespace.release(version)
        except Malformed:
            continue
