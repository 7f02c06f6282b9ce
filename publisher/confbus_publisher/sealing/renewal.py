"""A new key on the head: its content goes out once more, sealed with the active key, and nobody reads anything new."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confbus_publisher.ledger import Why
from confbus_publisher.sealing.resealing import held_again, is_due, resealed

if TYPE_CHECKING:
    from confbus.wire.release import Release
    from confbus_publisher.inputs import Merge
    from confbus_publisher.ledger import Ledger
    from confbus_publisher.sealing.seals import Seals

ACTION = "reseal"
_log = logging.getLogger("confbus.publisher")


def renew(ledger: Ledger, seals: Seals, author: str, merge: Merge | None = None) -> Release | None:
    """The release with the head's content under the active key of `seals`; None when there is nothing to do, or a guard
    is pending, which would end with it.

    What is held stays held under the new key, and a head that was published from `merge` stays so. Raises `KeyLacking`
    when the head is sealed with a key that is not here or not in use yet, `SealBroken` for what was altered, and
    `InvalidSettings` as `Seals.ring`.
    """
    state = ledger.state
    if state is None or state.guard or not is_due(state.release.manifest, state.blobs, seals):
        return None
    release, blobs = resealed(state.release, state.blobs, seals)
    there = ledger.store.blobs(pair.rpartition(" ")[2] for pair in state.quarantine)
    held = held_again(state.quarantine, there, seals)
    merged = state.head.merged
    if merged == state.release.digest:
        merged = release.digest
    elif merge is not None and merge.has_digest(merged):
        merged = merge.manifest.digest
    active = seals.ring.active
    why = Why(author, f"sealed with the key {active.id}" if active else "", ACTION)
    release = ledger.restate(release, blobs, why, merged=merged, held=held)
    _log.info("version %d: %s", release.version, why.message, extra={"version": release.version})
    return release
