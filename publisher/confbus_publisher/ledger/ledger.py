"""The ledger: every way the head of a namespace can change, over any store.

Each operation works out the whole change from the state it knows, then commits it with compare-and-set. What the
ledger knows (`state`) is enough to write the head again if Redis loses it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from confbus.errors import Conflict, Malformed, NoRelease, Refused
from confbus.wire.head import PROTOCOL, Head
from confbus.wire.release import Release
from confbus_publisher.ledger.draft import Draft, State, Why
from confbus_publisher.ledger.inventory import Inventory
from confbus_publisher.ledger.store import BlobsDiffer, VersionTaken
from confbus_publisher.overrides.override import lost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from confbus.status import Stand
    from confbus.wire.encoder import Encoded
    from confbus.wire.manifest import Manifest
    from confbus_publisher.ledger.store import Commit, Overrides, Store

_PAGE = 64
_ALL = 1_000_000


class Ledger:
    """One namespace in one store. Not thread-safe: one owner.

    `state` is the last known state of the head (None: there is none); `refresh` brings it up to date, and every
    operation raises `Conflict` rather than replace a head that moved meanwhile. `fleet_size` sizes the jitter of
    fetches. `unannounced` says why the last notice was not sent (the fleet then follows by polling), or is empty.
    """

    def __init__(self, store: Store, *, history: int = 50, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.state: State | None = None
        self.fleet_size = 0
        self.unannounced = ""
        self._history = history
        self._clock = clock
        self._inventory: Inventory | None = None
        self._looked: tuple[Head | None] | None = None

    @property
    def head(self) -> Head | None:
        """The head as `refresh` last saw it, also when what it stands for is gone."""
        if self._looked:
            return self._looked[0]
        return self.state.head if self.state else None

    def refresh(self) -> State | None:
        """Read the head, and what it stands for unless that is known already.

        Raises `Malformed` when something else is in its place or its release is gone, `Refused` when a newer protocol
        wrote it.
        """
        self._looked = None
        head = self.store.head()
        self._looked = (head,)
        if head is None:
            self.state, self._inventory = None, None
        elif self.state is None or self.state.head != head:
            self.state, self._inventory = self._read(head), None
        return self.state

    def publish(
        self, encoded: Encoded, why: Why, *, origins: Mapping[str, bytes] | None = None, lift: Sequence[str] = ()
    ) -> Release:
        """Make `encoded` the next release; its digest becomes `merged`. `lift` ends the hold of quarantined pairs.

        `origins` are the blobs that tell where the values were written, by digest, those of the lowest layer first.
        """
        version = self._next_version()
        release = Release(version, 0, version, encoded.manifest, size=encoded.size, origins=tuple(origins or ()))
        blobs = {**encoded.by_digest, **origins} if origins else encoded.by_digest
        return self._commit(Draft(self._signed(release, why), why, release.digest, blobs, lifted=lift))

    def rollback(self, target: Release, why: Why) -> Release:
        """Make the content of `target` the next release, and quarantine what the head has and `target` has not.

        Raises `NoRelease` when there is no head, or blobs of `target` are gone.
        """
        state = self._present()
        blobs = self.blobs(target.manifest)
        release = self._signed(replace(target, version=self._next_version()), why)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))
        reason = f"rolled back by {why.author} at {at}" + (f": {why.message}" if why.message else "")
        left = state.release.manifest.sections.items() - target.manifest.sections.items()
        held = {f"{section} {digest}": reason for section, digest in left}
        lifted = [f"{section} {digest}" for section, digest in target.manifest.sections.items()]
        draft = Draft(release, why, state.head.merged, blobs, quarantined=held)
        return self._commit(replace(draft, lifted=[pair for pair in lifted if pair in state.quarantine]))

    def resume(self, pairs: Sequence[str], why: Why) -> None:
        """End the hold of quarantined pairs, and let the next merge go out whatever it is."""
        state = self._present()
        self._commit(Draft(state.release, why, "", state.blobs, is_new=False, lifted=pairs))

    def anchor(self, state: State, why: Why, *, stands: Iterable[Stand] = (), lift: Sequence[str] = ()) -> Release:
        """Write `state` as the head of a new epoch: the repair after a loss of data. `lift` as in `publish`.

        Revision and version are above those of `state`, of what is there now and of every one of `stands` (where
        instances say they are); whoever stands there or before follows. What is held in the store stays so. The
        overrides become those of `state`, but for what was set since. Raises `Conflict` when the head is not what
        `refresh` saw.
        """
        there = self._looked[0] if self._looked else self.store.head()
        self.state, self._inventory = self._read_if_whole(there), None
        known: list[Head | Stand] = [*(head for head in (state.head, there) if head), *stands]
        places = [above for place in known for above in (*place.lineage, (place.epoch, place.revision))]
        head = state.head.anchored(
            revision=max(place.revision for place in known) + 1,
            version=max(place.version for place in known) + 1,
            above=places,
        )
        of = state.release.of or head.version
        held = {**self.store.quarantine(), **state.quarantine}
        # Origins are only told, never needed: after a loss they may be gone, and then nothing names them.
        origins = tuple(digest for digest in state.release.origins if digest in state.blobs)
        release = self._signed(replace(state.release, version=head.version, of=of, origins=origins), why)
        draft = Draft(release, why, head.merged, state.blobs, quarantined=held, lifted=lift, anchor=head)
        if state.overrides is None:
            return self._commit(draft, base=there)
        restored, withdrawn = lost(state.overrides.texts, self._overrides_there(), since_ms=state.overrides.now_ms)
        release = self._commit(replace(draft, restored=restored, withdrawn=withdrawn), base=there)
        self.state = replace(self._present(), overrides=state.overrides)
        return release

    def look_at_overrides(self) -> Overrides | None:
        """The overrides that are there with the head that `refresh` saw, or None when it moved since: then what is
        there may be part of a loss. Raises `Refused` as the store does."""
        seen = self.store.overrides()
        if seen.change != (self.head.change if self.head else ""):
            return None
        if self.state:
            self.state = replace(self.state, overrides=seen)
        return seen

    def history(self, count: int = _ALL) -> list[Release]:
        """The kept releases, newest first, at most `count`: by version, and past gaps by their parents."""
        state = self.refresh()
        return self._walk(state.head.version, count) if state else []

    def release(self, version: int) -> Release:
        """A kept release. Raises `NoRelease`."""
        found = self.store.releases([version])
        if not found:
            raise NoRelease(f"Version {version} is not kept")
        return found[0]

    def blobs(self, manifest: Manifest) -> dict[str, bytes]:
        """All blobs of a manifest, by digest. Raises `NoRelease` when some are gone."""
        wanted = set(manifest.sections.values())
        known: Mapping[str, bytes] = self.state.blobs if self.state else {}
        blobs = {digest: known[digest] for digest in wanted & known.keys()}
        blobs.update(self.store.blobs(wanted - blobs.keys()))
        gone = [name for name, digest in manifest.sections.items() if digest not in blobs]
        if gone:
            raise NoRelease(f"The content of section {gone[0]!r} is gone from {self.store.where}")
        return blobs

    def is_whole(self) -> bool:
        """False when the release of the head, or a blob of it, is gone from the store."""
        state = self._present()
        kept = self.store.releases([state.release.version])
        return bool(kept) and kept[0].digest == state.release.digest and self.store.blob_names() >= state.blobs.keys()

    def refused(self, why: Why, reason: str) -> None:
        """Record in the audit trail that something was not published."""
        entry = {"action": "refused", "author": why.author, "message": why.message, "why": reason}
        self.store.note({name: text for name, text in entry.items() if text})

    def _commit(self, draft: Draft, *, base: Head | None = None) -> Release:
        base = base or (self.state.head if self.state else None)
        whole = False
        while True:
            commit = self._measured(draft, base, whole=whole)
            try:
                self.unannounced = self.store.commit(commit)
            except VersionTaken:
                draft = draft.renumbered(draft.release.version + 1)
            except BlobsDiffer as error:
                if whole:
                    raise Refused("its blobs change while it publishes", advice="Who else writes there?") from error
                whole, self._inventory = True, None
            except Conflict as error:
                raise Conflict(error.expected, error.found, by=self._last_author()) from error
            else:
                self._settle(draft, commit)
                return draft.release

    def _measured(self, draft: Draft, base: Head | None, *, whole: bool) -> Commit:
        known = self.state.release if self.state else None
        if self._inventory is None:
            newest = known.version if known else draft.release.version - 1
            self._inventory = Inventory(self._walk(newest, _ALL), self.store.blob_names())
        return draft.commit(
            base,
            known,
            self._inventory,
            history=self._history,
            now_ms=self._now_ms(),
            fleet_size=self.fleet_size,
            whole=whole,
        )

    def _settle(self, draft: Draft, commit: Commit) -> None:
        held = {**(self.state.quarantine if self.state else {}), **draft.quarantined}
        for pair in draft.lifted:
            held.pop(pair, None)
        overrides = self.state.overrides if self.state else None
        self.state, self._looked = State(commit.head, draft.release, draft.blobs, held, overrides), None
        if self._inventory and draft.is_new:
            self._inventory.committed(draft.release, added=commit.blobs, dropped=commit.dropped, freed=commit.freed)

    def _read(self, head: Head) -> State:
        if head.protocol > PROTOCOL:
            raise Refused(
                f"{self.store.where} is written by protocol {head.protocol}, this confbus speaks {PROTOCOL}",
                advice="Upgrade confbus here.",
            )
        found = self.store.releases([head.version])
        if not found or found[0].digest != head.digest:
            raise Malformed(f"release {head.version}", "it is not what the head names")
        overrides = self.state.overrides if self.state else None
        return State(head, found[0], self.blobs(found[0].manifest), self.store.quarantine(), overrides)

    def _read_if_whole(self, head: Head | None) -> State | None:
        try:
            return self._read(head) if head else None
        except (Malformed, NoRelease):
            return None

    def _overrides_there(self) -> Mapping[str, str]:
        try:
            return self.store.overrides().texts
        except Refused:  # Something else is in their place; whoever follows them tells it.
            return {}

    def _walk(self, version: int, count: int) -> list[Release]:
        found: list[Release] = []
        while version > 0 and len(found) < count:
            page = self.store.releases(range(version, max(version - _PAGE, 0), -1))
            found += page
            # An anchored release may have no parent though older ones are kept; and no parent may lead back up.
            version = min(page[-1].parent or version, page[-1].version - 1) if page else 0
        return found[:count]

    def _signed(self, release: Release, why: Why) -> Release:
        parent = self.state.head.version if self.state else 0
        return replace(release, parent=parent, author=why.author, message=why.message, at_ms=self._now_ms())

    def _present(self) -> State:
        if self.state is None:
            raise NoRelease("Nothing is published yet", advice="`confbus publish` makes the first release.")
        return self.state

    def _next_version(self) -> int:
        return self.state.head.version + 1 if self.state else 1

    def _last_author(self) -> str:
        moves = (entry.fields for entry in self.store.log(_PAGE) if "version" in entry.fields)
        return next((fields.get("author", "") for fields in moves), "")

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
