"""One namespace in Redis, as a worker sees it: the head, the releases, the blobs, and its own line in the fleet."""

from __future__ import annotations

import time

from confbus.errors import Malformed
from confbus.events import Event, Fetched, HeadRead, ReadFailed
from confbus.link import reason_of
from confbus.wire import head as heads
from confbus.wire import release as releases
from confbus.wire.json_text import json_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from confbus.link import Link
    from confbus.wire.head import Head
    from confbus.wire.keys import Keys
    from confbus.wire.manifest import Manifest
    from confbus.wire.release import Release


class Namespace:
    """What one instance reads and reports, over the link of its driver. Belongs to the driver's thread."""

    __slots__ = ("_instance", "_keys", "_link", "_read_at", "_server_ms")

    def __init__(self, link: Link, keys: Keys, *, instance: str) -> None:
        self._link = link
        self._keys = keys
        self._instance = instance
        self._server_ms = 0
        self._read_at = time.monotonic()

    def read_head(self) -> Event:
        def read() -> Event:
            asked_at = time.monotonic()  # before the server says its time: no report claims to be older than it is
            fields, (seconds, micros) = self._link.ask(("HGETALL", self._keys.head), ("TIME",))
            self._server_ms, self._read_at = int(seconds) * 1000 + int(micros) // 1000, asked_at
            return HeadRead(heads.parse(_texts(fields)) if fields else None)

        return _tried(read)

    def fetch(self, head: Head, running: Manifest) -> Event:
        """The release of `head` and the blobs that `running` has not."""

        def read() -> Event:
            release = self.release(head.version)
            if release.digest != head.digest:
                raise Malformed(f"release {head.version}", "it is another one than the head names")
            return Fetched(head, release.manifest, self.content(release, running), release.at_ms)

        return _tried(read)

    def release(self, version: int) -> Release:
        """A release that is kept. Raises `Malformed`, also when it is not, and whatever the link raises."""
        return releases.parse(_texts(self._link.ask(("HGETALL", self._keys.release(version)))[0]))

    def content(self, release: Release, running: Manifest) -> dict[str, bytes]:
        """The blobs by section that `running` has not. Raises as `release`."""
        changes = running.changes_to(release.manifest)
        wanted = {name: blob for name, blob in changes.items() if blob is not None}
        blobs = {name: blob for name, blob in self._blobs(wanted) if blob is not None}
        if len(blobs) < len(wanted):
            missing = next(name for name in wanted if name not in blobs)
            raise Malformed(f"release {release.version}", f"the content of section {missing!r} is gone")
        return blobs

    def quarantine(self) -> set[str]:
        """The `section digest` pairs that must not go out again by themselves. Raises whatever the link raises."""
        return {pair.decode("utf-8", "replace") for pair in self._link.ask(("HKEYS", self._keys.quarantine))[0]}

    def report(self, report: Mapping[str, Any]) -> str:
        """Tell the fleet; returns why it could not be told, or the empty text. Workers may lack the right to."""
        try:
            passed_ms = int((time.monotonic() - self._read_at) * 1000) if self._server_ms else 0
            text = json_of({**report, "at": self._server_ms + passed_ms})
            self._link.ask(("HSET", self._keys.fleet, self._instance, text))
        except Exception as error:  # noqa: BLE001 — a report that fails must not stop the follower
            return reason_of(error)
        return ""

    def leave(self) -> None:
        """Take this instance's report away."""
        try:
            self._link.ask(("HDEL", self._keys.fleet, self._instance))
        except Exception:  # noqa: BLE001 — leaving is a courtesy; the publisher drops silent instances anyway
            return

    def _blobs(self, wanted: Mapping[str, str]) -> Iterable[tuple[str, bytes | None]]:
        found: list[bytes | None] = self._link.ask(("HMGET", self._keys.blobs, *wanted.values()))[0] if wanted else []
        return zip(wanted, found, strict=True)


def _tried(read: Callable[[], Event]) -> Event:
    try:
        return read()
    except Malformed as error:
        return ReadFailed(str(error), is_damage=True)
    except Exception as error:  # noqa: BLE001 — whatever failed, the running configuration stays
        return ReadFailed(reason_of(error), is_damage="WRONGTYPE" in str(error))


def _texts(fields: Any) -> dict[str, str]:
    """The fields of a hash, which come as a flat list of names and values."""
    texts = [text.decode("utf-8", "replace") for text in fields]
    return dict(zip(texts[::2], texts[1::2], strict=True))
