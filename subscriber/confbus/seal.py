"""Sealing a section under a key, and opening it: AES-256-GCM, deterministic, bound to namespace, section and key.

From the sealing key come two others (HKDF-Expand with one block, RFC 5869; the key is uniform, so nothing is to be
extracted): one for the fingerprint, an HMAC-SHA256 of namespace, section and plain bytes, and one for the nonce, an
HMAC of the fingerprint. So the nonce is a pseudo-random function of all that is sealed, as in SIV (RFC 5297): equal
contents give the very same bytes, on every publisher and after every restart, and different ones a nonce of their own.
96 bits of nonce allow for 2^32 different contents under one key (NIST SP 800-38D, 8.3).
"""

from __future__ import annotations

import hmac
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confbus import importing
from confbus.errors import SealBroken
from confbus.wire import codec
from confbus.wire.sealed import NONCE_BYTES, Envelope

if TYPE_CHECKING:
    from confbus.keyring import Key

_PURPOSE = b"confbus sealed section, 1"


def seal(key: Key, *, namespace: str, section: str, plain: bytes) -> bytes:
    """The envelope of `plain`, as it is stored; always the same for the same content and key."""
    place = _place(namespace, section, key.id)
    fingerprint = _fingerprint(key, place, plain)
    nonce = hmac.digest(_derived(key.secret, b"nonce"), fingerprint, "sha256")[:NONCE_BYTES]
    box = _cipher(key, section).encrypt(nonce, plain, place + fingerprint)
    return Envelope(key.id, fingerprint, nonce, box).encode()


def unseal(key: Key, envelope: Envelope, *, namespace: str, section: str) -> bytes:
    """The plain bytes. Raises `SealBroken` for an envelope that was altered, or sealed for another place or key."""
    place = _place(namespace, section, key.id)
    cipher = _cipher(key, section)
    try:
        plain: bytes = cipher.decrypt(envelope.nonce, envelope.box, place + envelope.fingerprint)
    except Exception as error:
        if type(error).__name__ != "InvalidTag":
            raise
        raise SealBroken(section, key.id, "it does not open with it") from None
    # GCM alone does not bind the key: other keys may open the same box to something else.
    if not hmac.compare_digest(_fingerprint(key, place, plain), envelope.fingerprint):
        raise SealBroken(section, key.id, "it does not have its fingerprint")
    return plain


def _place(namespace: str, section: str, key: str) -> bytes:
    return codec.pack([_PURPOSE, namespace, section, key])


def _fingerprint(key: Key, place: bytes, plain: bytes) -> bytes:
    return hmac.digest(_derived(key.secret, b"fingerprint"), place + plain, "sha256")


@lru_cache(maxsize=256)
def _derived(secret: bytes, use: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE + b" " + use + b"\x01", "sha256")


def _cipher(key: Key, section: str) -> Any:
    try:
        with importing.guard:  # it may be the thread that follows which opens the first one
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        reason = "the package cryptography is not installed here: pip install 'confbus[sealed]'"
        raise SealBroken(section, key.id, reason) from None
    return AESGCM(_derived(key.secret, b"seal"))
