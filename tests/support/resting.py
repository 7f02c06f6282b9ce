"""A subscriber that follows nobody: the test offers it what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus import Subscriber
from support.local_copy import snapshot

if TYPE_CHECKING:
    from confbus.local import Local


def resting(document: dict[str, Any], **options: Any) -> Subscriber:
    """A subscriber that reads `document` as version 1."""
    config = Subscriber("redis://127.0.0.1:1", namespace="resting", **options)
    offer(config, document)
    return config


def offer(config: Subscriber, document: dict[str, Any]) -> str:
    """Let the next version be `document`; why it was refused, or empty."""
    local = local_of(config)
    version = local.snapshot.version + 1 if local.snapshot is not None else 1
    return local.receive(snapshot(document, version))


def local_of(config: Subscriber) -> Local:
    return config._local  # pyright: ignore[reportPrivateUsage]  # this stands where the driver stands
