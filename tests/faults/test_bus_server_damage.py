"""Somebody writes over what is in Redis, or deletes a part of it. No worker believes it; who remembers mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import ConnectFailed
from support.bus import TIMING, digest_of
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.wire.keys import Keys
    from support.bus import Bus
    from support.server import Server

Deed = tuple["Callable[[Any, Keys], object]", bool]


def a_blob(client: Any, keys: Keys) -> str:
    return str(client.hget(keys.release(2), "section:web"))


def wrong_type(name: str) -> Callable[[Any, Keys], object]:
    return lambda client, keys: client.set(getattr(keys, name), "something else")


DAMAGES = {
    "the head is gone": lambda client, keys: client.delete(keys.head),
    "the head has no epoch": lambda client, keys: client.hdel(keys.head, "epoch"),
    "the head's version is no number": lambda client, keys: client.hset(keys.head, "version", "two"),
    "the head's revision is negative": lambda client, keys: client.hset(keys.head, "revision", "-1"),
    "the head's digest is another": lambda client, keys: client.hset(keys.head, "digest", "ab" * 32),
    "the head's fields are noise": lambda client, keys: client.hset(keys.head, mapping={b"\xff": b"\xfe", "epoch": b"\xff"}),
    "the release is gone": lambda client, keys: client.delete(keys.release(2)),
    "the release is something else": lambda client, keys: client.set(keys.release(2), "something else"),
    "the release has another section": lambda client, keys: client.hset(keys.release(2), "section:web", "ab" * 32),
    "a blob is gone": lambda client, keys: client.hdel(keys.blobs, a_blob(client, keys)),
    "all blobs are gone": lambda client, keys: client.delete(keys.blobs),
}
