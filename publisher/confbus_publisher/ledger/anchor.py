"""The change that begins a new epoch: what the head, the release and the rest of it are. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confbus_publisher.ledger.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from confbus.status import Stand
    from confbus.wire.head import Head
    from confbus.wire.release import Release
    from confbus_publisher.ledger.draft import State, Why


def head_above(head: Head, there: Head | None, stands: Iterable[Stand]) -> Head:
    """`head` as the beginning of an epoch above itself, what is `there`, and where instances stand."""
    known: list[Head | Stand] = [head, *([there] if there else []), *stands]
    return head.anchored(
        revision=max(place.revision for place in known) + 1,
        version=max(place.version for place in known) + 1,
        above=[above for place in known for above in (*place.lineage, (place.epoch, place.revision))],
    )


def release_below(head: Head, state: State) -> Release:
    """The release of `state` as that of `head`."""
    # Origins are only told, never needed: after a loss they may be gone, and then nothing names them.
    origins = tuple(digest for digest in state.release.origins if digest in state.blobs)
    of = state.release.of or head.version
    return replace(state.release, version=head.version, of=of, origins=origins)


def draft(
    head: Head, release: Release, why: Why, state: State, *, held: Mapping[str, str], lifted: Sequence[str]
) -> Draft:
    """The change to `head`, with all that goes with `state`; `held` is what is in quarantine there."""
    return Draft(
        release,
        why,
        head.merged,
        state.blobs,
        quarantined={**held, **state.quarantine},
        lifted=lifted,
        holds=state.holds or {},
        guard=state.guard if state.guard and state.guard.change == state.head.change else None,
        retreat=state.retreat,
        anchor=head,
    )
