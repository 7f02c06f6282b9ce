"""The keys that a worker opens sealed sections with: from a file, the environment or a function, read when needed.

Whoever has none reads on without those sections. While one is lacking, the keys are looked up again whenever the head
is read, so a key that comes later opens what is locked.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from confbus import keyring, small_file
from confbus.errors import ConfBusError, Malformed
from confbus.keyring import Key, Keyring
from confbus.seal import unseal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from confbus.wire.sealed import Envelope

    Source = str | os.PathLike[str] | Callable[[], str | Mapping[str, bytes] | Keyring] | None

VARIABLE, FILE_VARIABLE = "CONFBUS_OPEN_KEYS", "CONFBUS_OPEN_KEYS_FILE"
_log = logging.getLogger("confbus")


class OpenKeys:
    """The keys of `namespace`, from a path, or a function that gives the text of a keyring or 32 bytes by id; without
    either, from the variable CONFBUS_OPEN_KEYS, or from the file that CONFBUS_OPEN_KEYS_FILE names.

    `problem` says why there are none, when that is a fault. One thread at a time.
    """

    def __init__(self, namespace: str, source: Source = None) -> None:
        self.problem = ""
        self.is_lacking = False
        self._namespace = namespace
        self._source = source
        self._keys: Keyring | None = None

    def open(self, section: str, envelope: Envelope) -> bytes | None:
        """The plain bytes, or None without the key. Raises `SealBroken` when the key is there, and does not open it."""
        key = self._find(envelope.key)
        if key is None:
            self.is_lacking = True
            return None
        return unseal(key, envelope, namespace=self._namespace, section=section)

    def renew(self) -> bool:
        """Look the keys up again; True when there are others."""
        before, self._keys = self._keys, self._read()
        self.is_lacking = self.is_lacking and self._keys == before
        return self._keys != before

    def _find(self, id: str) -> Key | None:  # noqa: A002
        known = self._keys.get(id) if self._keys is not None else None
        if known is None and (self._keys is None or not self.is_lacking):
            self.renew()
        return known or (self._keys.get(id) if self._keys is not None else None)

    def _read(self) -> Keyring:
        """What the source says now; what was known, when it fails."""
        try:
            found, problem = self._ask(), ""
        except ConfBusError as error:
            found, problem = None, str(error)
        except OSError as error:
            where, reason = error.filename or "of open_keys=", error.strerror or type(error).__name__
            found, problem = None, f"the keyring {where} cannot be read: {reason}"
        except Exception as error:  # noqa: BLE001 — a user's code; what it raises may hold a key
            found, problem = None, f"open_keys= failed: {type(error).__name__}"
        if problem and problem != self.problem:
            _log.warning("%s", problem)
        self.problem = problem
        return found or self._keys or Keyring()

    def _ask(self) -> Keyring:
        source = self._source
        if callable(source):
            return _given(source())
        path = source or os.environ.get(FILE_VARIABLE, "")
        if path:
            return keyring.parse(_text_of(path), what=f"the keyring {os.fspath(path)}")
        return keyring.parse(os.environ.get(VARIABLE, ""), what=VARIABLE)


def _given(keys: Any) -> Keyring:
    if isinstance(keys, Keyring):
        return keys
    if isinstance(keys, str):
        return keyring.parse(keys, what="what open_keys= gave")
    return Keyring((Key(name, bytes(secret)) for name, secret in keys.items()), what="what open_keys= gave")


def _text_of(path: str | os.PathLike[str]) -> str:
    try:
        return small_file.read(path, most_bytes=keyring.MAX_BYTES)[0].decode()
    except UnicodeDecodeError:
        raise Malformed(f"the keyring {os.fspath(path)}", "it is no text") from None
