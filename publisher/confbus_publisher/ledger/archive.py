"""What is kept in a store, read and put together: the state of a head, releases, and their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import Conflict, Malformed, NoRelease, Refused
from confbus.wire.head import PROTOCOL
from confbus_publisher.guard.guard import Retreat
from confbus_publisher.ledger.draft import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.head import Head
    from confbus.wire.manifest import Manifest
    from confbus.wire.release import Release
    from confbus_publisher.guard.guard import Guard
    from confbus_publisher.ledger.store import Store

_PAGE = 64


def state(store: Store, head: Head, before: State | None) -> State:
    """What `head` stands for; what `before` has of it is not read again.

    Raises `Malformed` when its release is gone, `NoRelease` when a blob is, `Refused` for a newer protocol.
    """
    if head.protocol > PROTOCOL:
        raise Refused(
            f"{store.where} is written by protocol {head.protocol}, this confbus speaks {PROTOCOL}",
            advice="Upgrade confbus here.",
        )
    found = store.releases([head.version])
    if not found or found[0].digest != head.digest:
        raise Malformed(f"release {head.version}", "it is not what the head names")
    content = blobs(store, found[0].manifest, before.blobs if before else {})
    guard = guard_of(store, head)
    return State(
        head,
        found[0],
        content,
        store.quarantine(),
        before.overrides if before else None,
        before.holds if before else None,
        guard,
        _retreat(store, guard, content) if guard else None,
    )


def guard_of(store: Store, head: Head) -> Guard | None:
    """The guard of the change that made `head`, while it is pending."""
    guard = store.guard()
    return guard if guard and guard.change == head.change else None


def pending_guard(store: Store, head: Head) -> Guard | None:
    """As `guard_of`, for one that was seen there before: None when it was ended.

    Raises `Conflict` when the head moved: then nobody ended it, it went with the head, and may have to come back too.
    """
    guard = guard_of(store, head)
    if guard is None:
        now = store.head()
        if now is None or now.change != head.change:
            raise Conflict(f"revision {head.revision}", f"revision {now.revision}" if now else "no head")
    return guard


def release(store: Store, version: int) -> Release:
    """A kept release. Raises `NoRelease`."""
    found = store.releases([version])
    if not found:
        raise NoRelease(f"Version {version} is not kept")
    return found[0]


def blobs(store: Store, manifest: Manifest, known: Mapping[str, bytes]) -> dict[str, bytes]:
    """All blobs of a manifest, by digest; those `known` are not read. Raises `NoRelease` when some are gone."""
    wanted = set(manifest.sections.values())
    content = {digest: known[digest] for digest in wanted & known.keys()}
    content.update(store.blobs(wanted - content.keys()))
    gone = [name for name, digest in manifest.sections.items() if digest not in content]
    if gone:
        raise NoRelease(f"The content of section {gone[0]!r} is gone from {store.where}")
    return content


def overrides(store: Store) -> Mapping[str, str]:
    """The overrides that are there; none when something else is in their place: whoever follows them tells it."""
    try:
        return store.overrides().texts
    except Refused:
        return {}


def has(store: Store, state: State) -> bool:
    """False when the release of `state`, or a blob of it, is gone from the store."""
    kept = store.releases([state.release.version])
    return bool(kept) and kept[0].digest == state.release.digest and store.blob_names() >= state.blobs.keys()


def walk(store: Store, version: int, count: int) -> list[Release]:
    """The kept releases from `version` on, newest first, at most `count`."""
    found: list[Release] = []
    while version > 0 and len(found) < count:
        page = store.releases(range(version, max(version - _PAGE, 0), -1))
        found += page
        # An anchored release may have no parent though older ones are kept; and no parent may lead back up.
        version = min(page[-1].parent or version, page[-1].version - 1) if page else 0
    return found[:count]


def _retreat(store: Store, guard: Guard, known: Mapping[str, bytes]) -> Retreat | None:
    """Where `guard` may go back to; None when that is gone."""
    found = store.releases([guard.back])
    if not found or found[0].digest != guard.digest:
        return None
    try:
        return Retreat(found[0], blobs(store, found[0].manifest, known))
    except NoRelease:
        return None
