"""The envelope of a sealed section: what Redis, disks and backups hold in place of its plain bytes.

A byte that msgpack never uses, and a msgpack list: format, key id, fingerprint, nonce, box. The box is AES-256-GCM over
the canonical bytes of the section. `seal.py` makes and opens envelopes; here nothing is known of keys.
"""

from __future__ import annotations

from confbus.errors import Malformed
from confbus.wire import codec
from confbus.wire.frozen import is_list
from confbus.wire.record import field, record
from confbus.wire.sections import SEAL
from confbus.wire.sections import is_sealed as is_sealed  # noqa: PLC0414 — offered here, where people look for it

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
FINGERPRINT_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16
MAX_ID = 64
_ID = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


@record(frozen=True, slots=True)
class Envelope:
    """One sealed section. `fingerprint` is a keyed digest of what is inside: equal contents under one key have equal
    ones, and without the key nobody can work it out."""

    key: str
    fingerprint: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    box: bytes = field(repr=False)

    def encode(self) -> bytes:
        """As it is stored."""
        return SEAL + codec.pack([FORMAT, self.key, self.fingerprint, self.nonce, self.box])


@record(frozen=True, slots=True)
class Locked:
    """A section that stays closed here, and the id of the key that it needs."""

    key: str
    blob: bytes = field(repr=False)


def is_key_id(text: object) -> bool:
    """True for what can name a key: 1 to 64 of a-z, 0-9 and -."""
    return isinstance(text, str) and 0 < len(text) <= MAX_ID and _ID.issuperset(text)


def parse(blob: bytes, *, what: str) -> Envelope:
    """The envelope in `blob`. Raises `Malformed`, naming `what`, for anything that no publisher seals."""
    facts: Any = codec.unpack(blob[1:], what=what)
    if not is_sealed(blob) or not is_list(facts) or len(facts) != 5:
        raise Malformed(what, "it is no sealed section")
    if facts[0] != FORMAT:
        raise Malformed(what, "it is sealed in a way that this version does not know", advice="Upgrade confbus here.")
    _, key, fingerprint, nonce, box = facts
    if not is_key_id(key) or not all(isinstance(part, bytes) for part in (fingerprint, nonce, box)):
        raise Malformed(what, "it is no sealed section")
    if len(fingerprint) != FINGERPRINT_BYTES or len(nonce) != NONCE_BYTES or len(box) < TAG_BYTES:
        raise Malformed(what, "a part of its envelope has the wrong length")
    return Envelope(key, fingerprint, nonce, box)
