"""A configuration that stays as it is, for the smallest tests: no thread, no bus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from confbus.errors import ConfigRefused
from confbus.subscriber import Subscriber
from confbus.testing.override import local_of
from confbus.wire.encoder import Encoder
from confbus.wire.head import new_id
from confbus.wire.sections import join
from confbus.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping


def static(document: Mapping[str, Any], **options: Any) -> Subscriber:
    """A subscriber that reads `document` as version 1 and follows nothing; `options` are those of `Subscriber`.

    Raises `InvalidDocument` for what cannot be configuration, `ConfigRefused` when a view or a validator refuses it.
    """
    encoded = Encoder().encode(document)
    assembly = join(encoded.by_digest, encoded.manifest)
    snapshot = Snapshot(
        assembly.document,
        version=1,
        revision=1,
        epoch=new_id(),
        digest=encoded.manifest.digest,
        at_ms=time.time_ns() // 1_000_000,
        references=assembly.references,
    )
    options.setdefault("namespace", "test")
    config = Subscriber(f"memory:{snapshot.epoch}", **options)
    reason = local_of(config).receive(snapshot)
    if reason:
        raise ConfigRefused(1, reason)
    return config
