"""The releases of one namespace in a server in memory: what the ledger is to a publisher, without its precautions.

There is one writer, so nothing is compared before it is set; releases are never dropped.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings, NoRelease
from confbus.keyring import Keyring
from confbus.memory.change import commands
from confbus.seal import seal, unseal
from confbus.wire import head as heads
from confbus.wire import notice as notices
from confbus.wire.encoder import Encoder
from confbus.wire.manifest import EMPTY
from confbus.wire.release import Release
from confbus.wire.sections import join

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from confbus.memory import MemoryServer
    from confbus.wire.encoder import Encoded
    from confbus.wire.frozen import Frozen
    from confbus.wire.head import Head
    from confbus.wire.keys import Keys
    from confbus.wire.sealed import Envelope

_NOTHING_THERE = "Nothing was published"


class Releases:
    """All releases that were made, and which the head stands for. `is_lost` while the server has forgotten some."""

    def __init__(self, server: MemoryServer, keys: Keys) -> None:
        self.head: Head | None = None
        self.is_lost = False
        self._server = server
        self._keys = keys
        self._seal, self._keyring = frozenset[str](), Keyring()
        self._encoder = Encoder()
        self._made: dict[int, tuple[Head, Release]] = {}
        self._blobs: dict[str, bytes] = {}

    @property
    def document(self) -> Frozen:
        """The newest content."""
        return join(self._blobs, self._newest.manifest, self._open).document

    def seal(self, sections: Collection[str], keyring: Keyring) -> None:
        """What is sealed from the next release on, and with what."""
        self._seal, self._keyring = frozenset(sections), keyring
        self._encoder = Encoder(whole=self._seal)

    def publish(self, document: Mapping[str, Any]) -> Release:
        """Make `document` the next release. Raises `InvalidDocument`."""
        encoded = self._sealed(self._encoder.encode(document))
        self._blobs.update(encoded.by_digest)
        return self._put_next(Release(0, 0, 0, encoded.manifest, size=encoded.size))

    def rollback(self, to: int | None) -> Release:
        """Make the content of version `to` the next release; without one, the last content that was another one.

        Raises `NoRelease`.
        """
        target = self._earlier() if to is None else self._made.get(to, (None, None))[1]
        if target is None:
            raise NoRelease("There is no earlier release" if to is None else f"Version {to} is not kept")
        return self._put_next(target)

    def lose(self, back_to: int | None) -> None:
        """Let the server forget everything, or what came after version `back_to`, without a word."""
        if back_to is not None and back_to not in self._made:
            raise NoRelease(f"Version {back_to} is not kept")
        kept = 0 if back_to is None else back_to
        forgotten = [self._keys.release(version) for version in self._made if version > kept]
        self._server.execute(("DEL", self._keys.head, self._keys.fleet, *forgotten))
        if back_to is None:
            self._server.execute(("DEL", self._keys.blobs))
        else:
            fields = self._made[back_to][0].fields()
            self._server.execute(("HSET", self._keys.head, *(word for field in fields.items() for word in field)))
        self.is_lost = True

    def repair(self) -> Release:
        """Write the newest release again, as a new epoch above everything that was known."""
        newest, version = self._newest, max(self._made) + 1
        last = self._made[max(self._made)][0]
        head = last.anchored(revision=last.revision + 1, version=version)
        self.is_lost = False
        return self._put(head, replace(newest, version=version, parent=0))

    def _sealed(self, encoded: Encoded) -> Encoded:
        boxes = {name: self._box(name, encoded.blobs[name]) for name in self._seal & encoded.blobs.keys()}
        return encoded.changed(boxes, ()) if boxes else encoded

    def _box(self, section: str, plain: bytes) -> bytes:
        if self._keyring.active is None:
            raise InvalidSettings("keyring=", "it has no active key, and there are sections to seal")
        return seal(self._keyring.active, namespace=self._keys.namespace, section=section, plain=plain)

    def _open(self, section: str, envelope: Envelope) -> bytes | None:
        key = self._keyring.get(envelope.key)
        return None if key is None else unseal(key, envelope, namespace=self._keys.namespace, section=section)

    @property
    def _newest(self) -> Release:
        if self.head is None:
            raise NoRelease(_NOTHING_THERE, advice="publish() makes the first release.")
        return self._made[self.head.version][1]

    def _earlier(self) -> Release | None:
        """The newest release before the content at hand was published first that has another content."""
        newest = self._newest
        versions = [version for version in sorted(self._made, reverse=True) if version < newest.of]
        return next((self._made[each][1] for each in versions if self._made[each][1].digest != newest.digest), None)

    def _put_next(self, content: Release) -> Release:
        if self.is_lost:
            self.repair()
        digest = content.digest
        if self.head is None:
            head = heads.first(version=1, digest=digest, merged=digest)
        else:
            head = self.head.next(version=self.head.version + 1, digest=digest, merged=digest)
        parent = self.head.version if self.head else 0
        return self._put(head, replace(content, version=head.version, parent=parent, of=content.of or head.version))

    def _put(self, head: Head, release: Release) -> Release:
        release = replace(release, author="tests", at_ms=time.time_ns() // 1_000_000)
        before = self._newest.manifest if self.head else EMPTY
        changes = before.changes_to(release.manifest)
        notice = notices.telling(head, before, changes, self._blobs, at_ms=release.at_ms)
        blobs = {digest: self._blobs[digest] for digest in release.manifest.sections.values()}
        self.head = head
        self._made[head.version] = (head, release)
        self._server.execute(*commands(self._keys, head, notice.encode(), release=release, blobs=blobs))
        return release
