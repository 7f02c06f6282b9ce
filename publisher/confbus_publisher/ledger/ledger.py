"""The ledger: every way the head of a namespace can change, over any store.

Each operation works out the whole change from the state it knows, then commits it with compare-and-set. What the
ledger knows (`state`) is enough to write the head again if Redis loses it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confbus.errors import Conflict, Malformed, NoRelease, Refused
from confbus.wire.release import Release
from confbus_publisher.guard.guard import Guard, Retreat
from confbus_publisher.ledger import anchor, archive
from confbus_publisher.ledger.draft import Draft, State, Why
from confbus_publisher.ledger.inventory import Inventory
from confbus_publisher.ledger.rollback import pairs_of, verdicts
from confbus_publisher.ledger.store import BlobsDiffer, VersionTaken
from confbus_publisher.overrides.override import lost
from confbus_publisher.sealing.resealing import resealed_if_possible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from confbus.status import Stand
    from confbus.wire.encoder import Encoded
    from confbus.wire.head import Head
    from confbus.wire.manifest import Manifest
    from confbus_publisher.guard.guard import Terms
    from confbus_publisher.ledger.store import Commit, Holds, Overrides, Store
    from confbus_publisher.sealing.seals import Seals

_LOOKED_AT = 64
_ALL = 1_000_000
_LONGEST_REASON = 2000
_LONGEST_PATH = 500


class Ledger:
    """One namespace in one store. Not thread-safe: one owner.

    `state` is the last known state of the head (None: there is none); `refresh` brings it up to date, and every
    operation raises `Conflict` rather than replace a head that moved meanwhile. `fleet_size` sizes the jitter of
    fetches. What goes out again is sealed with the active key of `seals`, where that can open it. `unannounced` is why
    the last notice was not sent (the fleet then follows by polling), or is empty. The time is the store's, whatever the
    clock of this machine says, unless `clock` gives it in seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        history: int = 50,
        seals: Seals | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.store = store
        self.seals = seals
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
            self.state, self._inventory = archive.state(self.store, head, self.state), None
        return self.state

    def publish(
        self,
        encoded: Encoded,
        why: Why,
        *,
        origins: Mapping[str, bytes] | None = None,
        lift: Sequence[str] = (),
        terms: Terms | None = None,
    ) -> Release:
        """Make `encoded` the next release; its digest becomes `merged`. `lift` takes pairs out of quarantine.

        `origins` are the blobs that tell where the values were written, by digest, those of the lowest layer first.
        With `terms` it is guarded, unless there is no other content to go back to.
        """
        version = self._next_version()
        release = Release(version, 0, version, encoded.manifest, size=encoded.size, origins=tuple(origins or ()))
        blobs = {**encoded.by_digest, **origins} if origins else encoded.by_digest
        draft = Draft(self._signed(release, why), why, release.digest, blobs, lifted=lift)
        return self._commit(self._guarded(draft, terms) if terms else draft)

    def rollback(self, target: Release, why: Why) -> Release:
        """Make the content of `target` the next release, and quarantine what the head has and `target` has not. The
        content that a pending guard may go back to need not be kept any more.

        Raises `NoRelease` when there is no head, or blobs of `target` are gone.
        """
        state = self._present()
        known = {**state.blobs, **(state.retreat.blobs if state.retreat else {})}
        good, blobs = resealed_if_possible(target, archive.blobs(self.store, target.manifest, known), self.seals)
        release = self._signed(replace(good, version=self._next_version()), why)
        held, lifted = verdicts(state, release, of=target, why=why)
        return self._commit(Draft(release, why, state.head.merged, blobs, quarantined=held, lifted=lifted))

    def restate(
        self, release: Release, blobs: Mapping[str, bytes], why: Why, *, merged: str, held: Mapping[str, str]
    ) -> Release:
        """Make `release`, which has the head's content under another key, the next one, with its `blobs`; the digest of
        the last merge becomes `merged`, and `held` goes into quarantine beside what is there. A guard goes on."""
        lifted = [pair for pair in pairs_of(release) if pair in self._present().quarantine]
        release = self._signed(replace(release, version=self._next_version()), why)
        return self._commit(self._carrying(Draft(release, why, merged, blobs, quarantined=held, lifted=lifted)))

    def resume(self, pairs: Sequence[str], why: Why) -> None:
        """Take pairs out of quarantine, and let the next merge go out whatever it is. A guard goes on."""
        state = self._present()
        self._commit(self._carrying(Draft(state.release, why, "", state.blobs, is_new=False, lifted=pairs)))

    def end_guard(self, guard: Guard, entry: Mapping[str, str]) -> bool:
        """Let what `guard` watches be accepted, with an entry of the log; False when it ended already."""
        has_ended = self.store.end_guard(guard, entry)
        if self.state and self.state.guard == guard:
            self.state = replace(self.state, guard=None, retreat=None)
        return has_ended

    def anchor(self, state: State, why: Why, *, stands: Iterable[Stand] = (), lift: Sequence[str] = ()) -> Release:
        """Write `state` as the head of a new epoch: the repair after a loss of data. `lift` as in `publish`.

        Revision and version are above those of `state`, of what is there now and of every one of `stands` (where
        instances say they are); whoever stands there or before follows. What is in quarantine there stays so. The
        overrides become those of `state`, but for what was set since; a guard and holds come back. Raises `Conflict`
        when the head is not what `refresh` saw.
        """
        there = self._looked[0] if self._looked else self.store.head()
        self.state, self._inventory = self._if_whole(there), None
        head = anchor.head_above(state.head, there, stands)
        release = self._signed(anchor.release_below(head, state), why)
        draft = anchor.draft(head, release, why, state, held=self.store.quarantine(), lifted=lift)
        if state.overrides is None:
            return self._commit(draft, base=there)
        restored, withdrawn = lost(
            state.overrides.texts, archive.overrides(self.store), since_ms=state.overrides.now_ms
        )
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

    def look_at_guard(self) -> Guard | None:
        """The pending guard of the head that `refresh` saw, unless it ended meanwhile. Raises `Conflict`."""
        state = self.state
        guard = archive.pending_guard(self.store, state.head) if state and state.guard else None
        if state and guard != state.guard:
            self.state = replace(state, guard=guard, retreat=state.retreat if guard else None)
        return guard

    def look_at_holds(self) -> Holds | None:
        """As `look_at_overrides`, for the holds."""
        seen = self.store.holds()
        if seen.change != (self.head.change if self.head else ""):
            return None
        if self.state:
            self.state = replace(self.state, holds=seen.texts)
        return seen

    def history(self, count: int = _ALL) -> list[Release]:
        """The kept releases, newest first, at most `count`: by version, and past gaps by their parents."""
        state = self.refresh()
        return archive.walk(self.store, state.head.version, count) if state else []

    def release(self, version: int) -> Release:
        """A kept release. Raises `NoRelease`."""
        return archive.release(self.store, version)

    def blobs(self, manifest: Manifest) -> dict[str, bytes]:
        """All blobs of a manifest, by digest. Raises `NoRelease` when some are gone."""
        return archive.blobs(self.store, manifest, self.state.blobs if self.state else {})

    def is_whole(self) -> bool:
        """False when the release of the head, or a blob of it, is gone from the store."""
        return archive.has(self.store, self._present())

    def refused(self, why: Why, reason: str, *, path: str = "") -> None:
        """Record in the audit trail that what somebody wanted was not done; `path` is that of an override."""
        entry = {"action": "refused", "attempt": why.action, "author": why.author, "message": why.message}
        entry |= {"path": path[:_LONGEST_PATH], "why": reason[:_LONGEST_REASON]}
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

    def _carrying(self, draft: Draft) -> Draft:
        """The same change, watched as what was before it: it has the same content."""
        guard = self.look_at_guard()
        return replace(draft, guard=guard, retreat=self.state.retreat if self.state else None)

    def _guarded(self, draft: Draft, terms: Terms) -> Draft:
        """The same change, watched. What is on trial itself is no place to go back to: then it is that one's."""
        state = self.state
        if state is None:
            return draft
        on_trial = state.retreat if self.look_at_guard() else None
        retreat = on_trial or Retreat(state.release, state.blobs)
        return draft.guarded(terms, retreat, now_ms=self.store.time_ms())

    def _measured(self, draft: Draft, base: Head | None, *, whole: bool) -> Commit:
        known = self.state.release if self.state else None
        if self._inventory is None:
            newest = known.version if known else draft.release.version - 1
            self._inventory = Inventory(archive.walk(self.store, newest, _ALL), self.store.blob_names())
        return draft.commit(
            base,
            self.state,
            self._inventory,
            history=self._history,
            now_ms=draft.release.at_ms if draft.is_new else self._now_ms(),
            fleet_size=self.fleet_size,
            whole=whole,
        )

    def _settle(self, draft: Draft, commit: Commit) -> None:
        held = {**(self.state.quarantine if self.state else {}), **draft.quarantined}
        for pair in draft.lifted:
            held.pop(pair, None)
        known = self.state
        beside = (known.overrides, known.holds) if known else (None, None)
        guard, retreat = commit.guard, draft.retreat if commit.guard else None
        self.state = State(commit.head, draft.release, draft.blobs, held, *beside, guard, retreat)
        self._looked = None
        if self._inventory and draft.is_new:
            self._inventory.committed(draft.release, added=commit.blobs, dropped=commit.dropped, freed=commit.freed)

    def _if_whole(self, head: Head | None) -> State | None:
        try:
            return archive.state(self.store, head, self.state) if head else None
        except (Malformed, NoRelease):
            return None

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
        moves = (entry.fields for entry in self.store.log(_LOOKED_AT) if "version" in entry.fields)
        return next((fields.get("author", "") for fields in moves), "")

    def _now_ms(self) -> int:
        return int(self._clock() * 1000) if self._clock else self.store.time_ms()
