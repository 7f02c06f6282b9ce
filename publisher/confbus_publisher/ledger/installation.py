"""Making a namespace of an image: blobs, then releases, then everything else and the head in one step.

What fails on the way leaves blobs and releases without a head, which are nothing to anybody: the same import can be
run again, and the first publish frees them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from confbus.errors import LeaseHeld, Malformed, NoRelease, Refused
from confbus_publisher import fleet
from confbus_publisher.ledger.draft import State
from confbus_publisher.ledger.store import BlobsDiffer, LogEntry, LogMoved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confbus.wire.release import Release
    from confbus_publisher.ledger.draft import Why
    from confbus_publisher.ledger.image import Image
    from confbus_publisher.ledger.ledger import Ledger
    from confbus_publisher.ledger.store import Store

MAX_LOG = 10_000
_RELEASES_AT_ONCE = 20
_TRIES = 3


def install(store: Store, image: Image, blobs: Iterable[Mapping[str, bytes]], why: Why) -> None:
    """Make the empty namespace of `store` what `image` says; `blobs` gives all of its blobs, some at a time.

    Raises `Refused` when there is something, `LeaseHeld` beside an active publisher, `Conflict` when somebody was
    faster, and `Unreachable` or `OutcomeUnknown` half way.
    """
    _refuse_full(store, image)
    if not _is_done(store, image):
        for batch in blobs:
            store.leave(batch)
        releases = iter(image.releases)
        while some := list(islice(releases, _RELEASES_AT_ONCE)):
            store.leave({}, some)
        _finish(store, image, why)


def adopt(ledger: Ledger, image: Image, blobs: Mapping[str, bytes], why: Why) -> Release:
    """The content of the image's head as the next version, in a new epoch above all that anybody in the fleet knows.

    `blobs` are those of its release. What it contains itself is not held any more. Raises `Conflict` and as a store
    does.
    """
    with suppress(Malformed, NoRelease):  # a head that is damaged is replaced
        ledger.refresh()
    everybody = fleet.parse_all(ledger.store.fleet())
    pairs = {f"{section} {digest}" for section, digest in image.release.manifest.sections.items()}
    lifted = sorted(pairs & ledger.store.quarantine().keys())
    # Its number there says nothing here: the content counts as new.
    state = State(image.head, replace(image.release, of=0), blobs)
    stands = [report.seen for report in everybody if report.seen]
    return ledger.anchor(state, why, stands=stands, lift=lifted)


def _finish(store: Store, image: Image, why: Why) -> None:
    entry = {
        "action": why.action,
        "version": str(image.head.version),
        "from": "0",
        "of": str(image.release.of),
        "revision": str(image.head.revision),
        "epoch": image.head.epoch,
        "digest": image.head.digest,
        "from_digest": "",
        "author": why.author,
        "message": why.message,
    }
    keeps_ids = True
    for _ in range(_TRIES):
        newest = store.log(1)
        tail = newest[0].id if newest else ""
        entries = image.log[-MAX_LOG:]
        log = entries if keeps_ids and not tail else tuple(map(_behind, entries))
        try:
            return store.install(replace(image, log=(*log, LogEntry("*", entry))), tail=tail)
        except LogMoved:
            keeps_ids = False  # nor in a log that was emptied: it takes no id below its last one
        except BlobsDiffer:
            raise Refused("somebody else changes what the import writes", advice="Who writes there?") from None
    raise Refused("the log changes all the time", advice="Who writes there? Try again.")


def _is_done(store: Store, image: Image) -> bool:
    """Whether the very head of the image is there, as after an import whose answer was lost."""
    head = store.head()
    return head is not None and head.change == image.head.change


def _refuse_full(store: Store, image: Image) -> None:
    holder, head = store.lease(), store.head()
    if holder:
        raise LeaseHeld(holder, advice="Stop it before, or import with --adopt.")
    if head is not None and head.change != image.head.change:
        advice = "Name a new namespace with -n; or --adopt makes the export's content the next version there."
        raise Refused(f"the namespace has version {head.version} already", advice=advice)
    if not store.blob_names() <= image.blobs:
        advice = "Name a new namespace with -n, or delete the keys of this one."
        raise Refused("there are blobs without a head, and they are not those of the export", advice=advice)


def _behind(entry: LogEntry) -> LogEntry:
    """The entry as it can stand behind others: with a new id, and its time as `at`."""
    return LogEntry("*", {**entry.fields, "at": str(entry.at_ms)})
