"""The head and its release as plain values, for programs that ask a command or a publisher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus_publisher.moments import iso

if TYPE_CHECKING:
    from confbus_publisher.ledger import State


def head_facts(state: State) -> dict[str, Any]:
    """Which release is in force, whose it is, and which sections are sealed with which key; no value of it."""
    from confbus_publisher.sealing.resealing import keys_of

    head, release = state.head, state.release
    return {
        "version": head.version,
        "of": release.of,
        "revision": head.revision,
        "epoch": head.epoch,
        "digest": head.digest,
        "at": iso(release.at_ms),
        "author": release.author,
        "message": release.message,
        "sealed": keys_of(release.manifest, state.blobs),
    }
