"""The sealed sections of one namespace: which they are, and the keyring that seals and opens them.

Sealing is deterministic: what a content is under each key of the ring can be worked out, so nothing about it has to be
remembered, and a content is recognised under whichever key it went out.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidDocument, InvalidSettings, Malformed
from confbus.keyring import Keyring
from confbus.seal import seal, unseal
from confbus.wire import codec
from confbus.wire.encoder import Encoder
from confbus.wire.frozen import Frozen, is_mapping
from confbus.wire.sections import name_of, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from confbus.keyring import Key
    from confbus.wire.encoder import Encoded
    from confbus.wire.manifest import Manifest
    from confbus.wire.sealed import Envelope
    from confbus_publisher.layer import Layer
    from confbus_publisher.sealing.key_file import KeyFile

_NO_KEYS = Keyring()


class Seals:
    """The top-level keys of `namespace` that are sealed, with the keyring in `file`.

    With `is_dry` nothing is sealed, and no keyring is needed: for whoever only looks at what would be published, or
    publishes within his own process. One thread at a time.
    """

    def __init__(
        self, namespace: str, keys: Iterable[str] = (), file: KeyFile | None = None, *, is_dry: bool = False
    ) -> None:
        self.keys = frozenset(keys)
        self.file = file
        self._namespace = namespace
        self._is_dry = is_dry
        self._made: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self._outside: tuple[Layer, Layer] | None = None

    @property
    def ring(self) -> Keyring:
        """The keys as the file has them now, the very same object while it does not change.

        Raises `InvalidSettings` when there is something to seal, and no keyring, or no active key in it.
        """
        if self._is_dry or self.file is None:
            return _NO_KEYS
        ring = self.file.ring()
        if self.keys and (ring is None or ring.active is None):
            reason = "it is not there" if ring is None else "no key in it is active"
            advice = f"`confbus keys generate` makes a key to seal {', '.join(sorted(self.keys))} with."
            raise InvalidSettings(f"the keyring {self.file.path}", reason, advice=advice)
        return _NO_KEYS if ring is None else ring

    @property
    def where(self) -> str:
        """The keyring, for messages."""
        return f"the keyring {self.file.path}" if self.file else "no keyring"

    def refuse_unfit(self, document: Mapping[str, object]) -> None:
        """Raises `InvalidDocument` when what is to be sealed is no section of its own."""
        for key in sorted(self.keys & document.keys()):
            if not is_mapping(document[key]):
                reason = "it is to be sealed, and only a mapping is a section of its own"
                raise InvalidDocument(name_of((key,)), reason, advice="Put it into one, and seal that.")

    def outside(self, layer: Layer) -> Layer:
        """`layer` without what would be sealed; the very same one for the same. For layers that stand in Redis as plain
        text: whoever can write there gets no seal for it."""
        if self._is_dry or self.keys.isdisjoint(layer.tree):
            return layer
        if self._outside is None or self._outside[0] is not layer:
            tree = Frozen({key: value for key, value in layer.tree.items() if key not in self.keys})
            origins = {path: origin for path, origin in layer.origins.items() if not self.keys.intersection(path[:1])}
            self._outside = (layer, replace(layer, tree=tree, origins=origins))
        return self._outside[1]

    def sealed(self, plain: Encoded, ring: Keyring) -> Encoded:
        """`plain` as it goes out: sealed under the active key of `ring`."""
        return self._under(ring.active, plain) if ring.active and self.keys else plain

    def aliases(self, plain: Encoded, ring: Keyring) -> Callable[[], tuple[Manifest, ...]]:
        """What the manifest of `plain` would be under the other keys of `ring`; worked out when it is asked for."""
        others = [key for key in ring if key is not ring.active] if self.keys else []
        return cache(partial(self._manifests, plain, others))

    def guises(self, document: Mapping[str, Any], ring: Keyring) -> Callable[[str], Collection[str]]:
        """For a section, the digests that its content in `document` would have if `seal:` said something else: in plain
        text where it is sealed, under each key of `ring` where it is not. What is none of `document` has none."""

        @cache
        def of(section: str) -> frozenset[str]:
            key = _top_level_key(section)
            value = document.get(key)
            if not is_mapping(value):
                return frozenset()
            if key in self.keys:
                plain = Encoder().encode({key: value}).manifest.sections
                return frozenset({plain[section]} if section in plain else ())
            content = codec.encode(value, at=(key,)) if section == name_of((key,)) else None
            return frozenset(codec.digest(self._sealed(each, section, content)) for each in ring if content is not None)

        return of

    def open(self, section: str, envelope: Envelope) -> bytes | None:
        """The plain bytes, or None without the key. Raises `SealBroken` for what was altered, and as `ring`."""
        key = self.ring.get(envelope.key)
        return None if key is None else unseal(key, envelope, namespace=self._namespace, section=section)

    def box(self, key: Key, section: str, plain: bytes) -> bytes:
        """The envelope of `plain`; the last one under each key is remembered."""
        last = self._made.get((key.id, section))
        if last is None or last[0] != plain:
            last = (plain, self._sealed(key, section, plain))
            self._made[key.id, section] = last
        return last[1]

    def _sealed(self, key: Key, section: str, plain: bytes) -> bytes:
        return seal(key, namespace=self._namespace, section=section, plain=plain)

    def _under(self, key: Key, plain: Encoded) -> Encoded:
        names = {name_of((each,)) for each in self.keys} & plain.blobs.keys()
        return plain.changed({name: self.box(key, name, plain.blobs[name]) for name in names}, ()) if names else plain

    def _manifests(self, plain: Encoded, keys: Iterable[Key]) -> tuple[Manifest, ...]:
        return tuple(self._under(key, plain).manifest for key in keys)


def _top_level_key(section: str) -> str:
    """Empty for the name of what is no section, or has none."""
    try:
        return str(next(iter(path_of(section)), ""))
    except Malformed:
        return ""
