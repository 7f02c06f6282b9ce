"""What sealing adds: to a change in the publisher and in a worker, beside bare AES-256-GCM over the same bytes.

A change seals one section and digests the envelope; a worker opens it, and proves the fingerprint. Reads are those of a
plain section: what was opened is plain memory. The publisher looks at its keyring before each change.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.rounds import Row, interleave, rows
from bench.timer import timed, timer
from bench.worlds import NAMESPACE, changed, document
from confbus.keyring import ACTIVE, Key, Keyring
from confbus.seal import seal, unseal
from confbus.testing import Bus
from confbus.wire.encoder import Encoder
from confbus.wire.sealed import parse
from confbus_publisher.sealing.key_file import KeyFile
from confbus_publisher.sealing.seals import Seals

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.wire.frozen import Frozen

KEY = Key("bench", bytes(range(32)), ACTIVE)
_SIZES = {"1 KB": 1024, "64 KB": 64 * 1024, "1 MB": 1024 * 1024}


def run() -> list[Row]:
    """Microseconds for one section, and nanoseconds for one read."""
    found: list[Row] = []
    for name, size in _SIZES.items():
        found += _of_size(name, bytes(index * 31 % 251 for index in range(size)))
    return [*found, *_changes(), *_reads()]


def _of_size(name: str, plain: bytes) -> list[Row]:
    cipher, nonce = AESGCM(KEY.secret), bytes(12)
    box = cipher.encrypt(nonce, plain, b"")
    envelope = parse(seal(KEY, namespace=NAMESPACE, section="s", plain=plain), what="it")
    contestants = {
        f"bare AES-GCM over {name}: encrypt": timed(lambda: cipher.encrypt(nonce, plain, b"")),
        f"seal {name}": timed(lambda: seal(KEY, namespace=NAMESPACE, section="s", plain=plain)),
        f"bare AES-GCM over {name}: decrypt": timed(lambda: cipher.decrypt(nonce, box, b"")),
        f"open {name}": timed(lambda: unseal(KEY, envelope, namespace=NAMESPACE, section="s")),
    }
    return rows(interleave(contestants, 25), unit="us", targets={})


def _changes() -> list[Row]:
    """A change of a section of 1 KB in a document of 1 MB, as the publisher encodes it."""
    with tempfile.TemporaryDirectory() as folder:
        file = KeyFile(Path(folder) / "keys")
        file.write(Keyring([KEY]))
        tree = document(1024 * 1024, sections=100)
        sealing = Seals(NAMESPACE, [next(iter(tree))], file)
        contestants = {
            "a change of 1 KB in 1 MB, encoded": _encoded(tree, Seals(NAMESPACE)),
            "the same, sealed": _encoded(tree, sealing),
        }
        return rows(interleave(contestants, 200), unit="us", targets={"the same, sealed": "<= 2.5"})


def _reads() -> list[Row]:
    tree = {"a": {"b": 1}, "x": {"y": 3}}
    with Bus(tree) as plain, Bus(tree, seal=["a"], keyring=Keyring([KEY])) as sealed:
        things = {"config": plain.connect()}, {"config": sealed.connect(open_keys=lambda: Keyring([KEY]))}
        contestants = {
            'config["a.b"]': timer('config["a.b"]', things[0]),
            'config["a.b"], sealed in Redis': timer('config["a.b"]', things[1]),
        }
        return rows(interleave(contestants, 25), unit="ns", targets={'config["a.b"], sealed in Redis': "<= 1.1"})


def _encoded(tree: Frozen, seals: Seals) -> Callable[[], float]:
    encoder, numbers = Encoder(whole=seals.keys), itertools.count()
    encoder.encode(tree)

    def measure() -> float:
        document = changed(tree, next(numbers))
        started = time.perf_counter()
        seals.sealed(encoder.encode(document), seals.ring)
        return (time.perf_counter() - started) * 1e6

    return measure
