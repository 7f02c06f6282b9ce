"""From what shall change to the one commit that changes it: next head, notice, and what may be dropped."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from confbus.errors import Malformed
from confbus.wire import head as heads
from confbus.wire import notice as notices
from confbus.wire.manifest import EMPTY
from confbus.wire.release import Release
from confbus.wire.sections import join
from confbus_publisher.guard.guard import Guard
from confbus_publisher.ledger.store import Commit
from confbus_publisher.ledger.summary import Sections, section_names, summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confbus.wire.encoder import Encoded
    from confbus.wire.frozen import Frozen
    from confbus.wire.head import Head
    from confbus.wire.sections import Opener
    from confbus_publisher.guard.guard import Retreat, Terms
    from confbus_publisher.ledger.inventory import Inventory
    from confbus_publisher.ledger.store import Overrides


@dataclass(frozen=True, slots=True)
class State:
    """All that a head stands for: enough to write it again after a loss.

    `overrides` and `holds` are those that were there with the head; None when nobody looked. `guard` is the pending one
    of this very head, `retreat` where it may go back to, unless that is gone.
    """

    head: Head
    release: Release
    blobs: Mapping[str, bytes] = field(repr=False)
    quarantine: Mapping[str, str] = field(default_factory=dict[str, str])
    overrides: Overrides | None = None
    holds: Mapping[str, str] | None = None
    guard: Guard | None = None
    retreat: Retreat | None = None

    def document(self, opener: Opener | None = None) -> Frozen:
        """The configuration of the release, with what `opener` opens of its sealed sections.

        Raises `Malformed` when a blob is no section, and what `opener` raises.
        """
        return join(self.blobs, self.release.manifest, opener).document


@dataclass(frozen=True, slots=True)
class Why:
    """Who changes the head, and the reason they give; `action` is the word in the audit trail."""

    author: str
    message: str = ""
    action: str = "publish"


@dataclass(frozen=True, slots=True)
class Draft:
    """A change of the head before it is measured against what is there.

    `release` is what the head will stand for; `is_new` when it has yet to be written. `blobs` has every blob of it by
    digest, as far as known; those of its origins may be missing. `anchor` is set when the change begins a new epoch.
    `guard` watches the change, and goes back to `retreat`; of which change and version it is, is only known at the end.
    """

    release: Release
    why: Why
    merged: str
    blobs: Mapping[str, bytes] = field(repr=False)
    is_new: bool = True
    quarantined: Mapping[str, str] = field(default_factory=dict[str, str])
    lifted: Sequence[str] = ()
    restored: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    withdrawn: Sequence[str] = ()
    holds: Mapping[str, str] = field(default_factory=dict[str, str])
    guard: Guard | None = None
    retreat: Retreat | None = None
    anchor: Head | None = None

    def renumbered(self, version: int) -> Draft:
        """The same change under another version."""
        own = self.release.of == self.release.version
        release = replace(self.release, version=version, of=version if own else self.release.of)
        return replace(self, release=release, anchor=self.anchor and replace(self.anchor, version=version))

    def guarded(self, terms: Terms, retreat: Retreat, *, now_ms: int) -> Draft:
        """The same change, watched from `now_ms` on; as it is when it has the content to go back to."""
        back = retreat.release
        if back.digest == self.release.digest:
            return self
        guard = Guard(
            change="",
            version=0,
            back=back.version,
            digest=back.digest,
            author=self.why.author,
            since_ms=now_ms,
            until_ms=now_ms + round(terms.for_s * 1000),
            vetoes=terms.vetoes,
        )
        return replace(self, guard=guard, retreat=retreat)

    def head_after(self, base: Head | None) -> Head:
        """The head once the change is made."""
        version, digest = self.release.version, self.release.digest
        if self.anchor:
            return self.anchor
        if base is None:
            return heads.first(version=version, digest=digest, merged=self.merged)
        return base.next(version=version, digest=digest, merged=self.merged)

    def commit(
        self,
        base: Head | None,
        state: State | None,
        inventory: Inventory,
        *,
        history: int,
        now_ms: int,
        fleet_size: int,
        whole: bool,
    ) -> Commit:
        """The commit on top of `base`, which is the head of `state`. `whole`: send every blob and field again.

        `state` is None when what `base` stands for is gone.
        """
        head = self.head_after(base)
        known = state.release if state else None
        back = self.guard.back if self.guard else None
        dropped = inventory.droppable(history=history, now_ms=now_ms, back=back) if self.is_new else []
        # An anchor mends what may be damaged: it takes nothing over from a release that is there.
        is_copied = known and self.is_new and not whole and not self.anchor and known.version in inventory
        parent = known if is_copied else None
        before = known.manifest if known else EMPTY
        changes = before.changes_to(self.release.manifest)
        candidates = self.blobs if parent is None else {digest for digest in changes.values() if digest}
        candidates = {*candidates, *self.blobs.keys() & set(self.release.origins)}
        new = {d: self.blobs[d] for d in candidates if whole or d not in inventory.blob_names}
        at_ms = self.release.at_ms if self.is_new else now_ms
        notice = notices.telling(head, before, changes, self.blobs, at_ms=at_ms, fleet_size=fleet_size)
        return Commit(
            base=base,
            head=head,
            notice=notice.encode(),
            entry=self._entry(base, head, self._told(base, state, changes)),
            blob_count=len(inventory.blob_names),
            release=self.release if self.is_new else None,
            parent=parent,
            changes=changes,
            blobs=new,
            quarantined=self.quarantined,
            lifted=self.lifted,
            restored=self.restored,
            withdrawn=self.withdrawn,
            guard=self.guard and replace(self.guard, change=head.change, version=head.version),
            holds=self.holds,
            dropped=dropped,
            freed=inventory.freed_without(dropped, self.release) if self.is_new else [],
        )

    def _entry(self, base: Head | None, head: Head, told: Mapping[str, str]) -> dict[str, str]:
        return {
            "action": self.why.action,
            "version": str(head.version),
            "from": str(base.version if base else 0),
            "of": str(self.release.of),
            "revision": str(head.revision),
            "epoch": head.epoch,
            "digest": head.digest,
            "from_digest": base.digest if base else "",
            "author": self.why.author,
            "message": self.why.message,
            **told,
        }

    def _told(self, base: Head | None, state: State | None, changes: Mapping[str, str | None]) -> dict[str, str]:
        """What the audit trail tells beside: the changed paths, unless nobody knows, and what is held now or no more;
        never a value."""
        told: dict[str, str] = {}
        if state or not base:
            old = Sections(state.release.manifest, state.blobs) if state else Sections(EMPTY, {})
            with suppress(Malformed):
                told["changes"] = summary(changes, old, self.blobs).text()
        for word, pairs in (("held", self.quarantined), ("lifted", self.lifted)):
            with suppress(Malformed):
                told[word] = section_names(pair.rpartition(" ")[0] for pair in pairs)
        return {name: text for name, text in told.items() if text}


def state_of(encoded: Encoded) -> State:
    """A content that was never published as a state, so that a repair can anchor it."""
    release = Release(0, 0, 0, encoded.manifest, size=encoded.size)
    return State(heads.first(version=0, digest=release.digest, merged=release.digest), release, encoded.by_digest)
