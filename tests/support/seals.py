"""Keys for tests, and documents with sealed sections as a publisher would encode them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from confbus.keyring import ACTIVE, Key, Keyring
from confbus.seal import seal
from confbus.wire.encoder import Encoder
from confbus_publisher.sealing.key_file import KeyFile
from confbus_publisher.sealing.seals import Seals

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from confbus.wire.encoder import Encoded


def key(name: str, *, state: str = ACTIVE) -> Key:
    """A key, always the same for one name."""
    return Key(name, hashlib.sha256(f"a key of the tests: {name}".encode()).digest(), state)


def ring(*names: str) -> Keyring:
    """The first is active, the others are retired."""
    return Keyring([key(name) if name == names[0] else key(name, state="retired") for name in names])


def seals(path: Path, *keys: str, namespace: str = "shop", ring_of: tuple[str, ...] = ("k1",)) -> Seals:
    """A publisher's seals of the top-level `keys`, with a keyring at `path`: the first key of it is active."""
    file = KeyFile(path)
    if ring_of:
        file.write(ring(*ring_of))
    return Seals(namespace, keys, file)


def sealed(
    document: Mapping[str, Any], *names: str, namespace: str = "shop", under: str = "k1", split: Collection[str] = ()
) -> Encoded:
    """`document` with the sections of `names` sealed under the key `under`."""
    encoded = Encoder(whole=set(names) - set(split)).encode(document)
    boxes = {
        name: seal(key(under), namespace=namespace, section=name, plain=encoded.blobs[name])
        for name in names
        if name in encoded.blobs
    }
    return encoded.changed(boxes, ())
