"""The keys of one namespace, and their text in a file, a variable, or what a function gives.

One key is active: it seals. The others only open: those that are ready were made and not used yet, those that are
retired sealed what is still kept.
"""

from __future__ import annotations

import base64
import binascii
import json

from confbus.errors import Malformed
from confbus.wire.record import field, record
from confbus.wire.sealed import is_key_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

KEY_BYTES = 32
MAX_KEYS = 100
MAX_BYTES = 64 * 1024
READY, ACTIVE, RETIRED = "ready", "active", "retired"


@record(frozen=True, slots=True)
class Key:
    """256 bits with a name. `since` is when it came into its state, as ISO 8601 text, for people."""

    id: str
    secret: bytes = field(repr=False)
    state: str = RETIRED
    since: str = ""


class Keyring:
    """Keys by their ids, immutable. Raises `Malformed` for two of one id, for more than one that is active, and for
    what is no key."""

    __slots__ = ("_keys", "active")

    def __init__(self, keys: Iterable[Key] = (), *, what: str = "the keyring") -> None:
        listed = tuple(keys)
        self._keys = {key.id: key for key in listed}
        active = [key for key in listed if key.state == ACTIVE]
        if len(self._keys) != len(listed) or len(active) > 1:
            raise Malformed(what, "it has two keys of one id" if len(active) < 2 else "it has two active keys")
        if len(listed) > MAX_KEYS:
            raise Malformed(what, f"it has more than {MAX_KEYS} keys")
        for key in listed:
            if not is_key_id(key.id) or len(key.secret) != KEY_BYTES or key.state not in {READY, ACTIVE, RETIRED}:
                raise Malformed(what, f"a key in it is none of {KEY_BYTES} bytes with an id and a state")
        self.active = active[0] if active else None

    def get(self, id: str) -> Key | None:  # noqa: A002 — what everybody calls it
        return self._keys.get(id)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keyring) and other._keys == self._keys

    def __hash__(self) -> int:
        return hash(tuple(self._keys))

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    def text(self) -> str:
        """What `parse` reads: JSON, a line for each key."""
        keys = [
            {"id": key.id, "state": key.state, "since": key.since, "key": base64.b64encode(key.secret).decode()}
            for key in self
        ]
        return '{"confbus-keys": [\n' + ",\n".join(json.dumps(key) for key in keys) + "\n]}\n"


def parse(text: str, *, what: str) -> Keyring:
    """The keyring in `text`: its JSON, or `id:base64` for each key, with spaces or commas between.

    Raises `Malformed`, naming `what`; no part of the text is in the message.
    """
    if len(text) > MAX_BYTES:
        raise Malformed(what, f"it is larger than {MAX_BYTES // 1024} KB")
    try:
        keys = list(_listed(text) if text.lstrip().startswith("{") else _joined(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
        raise Malformed(what, "it is no keyring", advice="`confbus keys generate` makes one.") from None
    return Keyring(keys, what=what)


def _listed(text: str) -> Iterator[Key]:
    facts: Any = json.loads(text)
    for each in facts["confbus-keys"]:
        secret = base64.b64decode(each["key"], validate=True)
        yield Key(_text(each["id"]), secret, _text(each.get("state", RETIRED)), _text(each.get("since", ""))[:40])


def _joined(text: str) -> Iterator[Key]:
    for pair in text.replace(",", " ").split():
        name, _, secret = pair.partition(":")
        yield Key(name, base64.b64decode(secret, validate=True))


def _text(fact: Any) -> str:
    if not isinstance(fact, str):
        raise TypeError
    return fact
