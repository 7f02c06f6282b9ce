"""A keyring with one key more, another active key, or one key less. Pure, but for the randomness of new keys."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from confbus.errors import Refused
from confbus.keyring import ACTIVE, KEY_BYTES, MAX_KEYS, READY, RETIRED, Key, Keyring

if TYPE_CHECKING:
    from datetime import datetime


def generated(ring: Keyring, now: datetime) -> tuple[Keyring, Key]:
    """`ring` with a new key at its end, and that key: active when it is the first, else only ready.

    Its name is the day, and chance: keys that were made apart are told apart. Raises `Refused` for too many.
    """
    if len(ring) >= MAX_KEYS:
        raise Refused(f"the keyring has {MAX_KEYS} keys already", advice="`confbus keys remove` takes some out.")
    state = READY if ring.active else ACTIVE
    name = f"{now:%Y-%m-%d}-{secrets.token_hex(3)}"
    key = Key(name, secrets.token_bytes(KEY_BYTES), state, _text(now))
    return Keyring([*ring, key]), key


def rotated(ring: Keyring, now: datetime) -> tuple[Keyring, Key]:
    """`ring` with its newest ready key active and the active one retired, and the new active one.

    Raises `Refused` when no key is ready: workers have to have it first.
    """
    ready = [key for key in ring if key.state == READY]
    if not ready:
        advice = "`confbus keys generate` makes one; bring it to the workers, then rotate."
        raise Refused("no key of the keyring is ready", advice=advice)
    active = replace(ready[-1], state=ACTIVE, since=_text(now))
    retired = ring.active and replace(ring.active, state=RETIRED, since=_text(now))
    changed = {key.id: key for key in (active, retired) if key}
    return Keyring(changed.get(key.id, key) for key in ring), active


def removed(ring: Keyring, name: str) -> Keyring:
    """`ring` without the key of that name. Raises `Refused` when there is none, and for the active one."""
    key = ring.get(name)
    if key is None:
        known = ", ".join(each.id for each in ring) or "none"
        raise Refused(f"the keyring has no key {name!r}", advice=f"There are: {known}.")
    if key.state == ACTIVE:
        raise Refused(f"{name} is the active key", advice="`confbus keys rotate` retires it.")
    return Keyring(each for each in ring if each.id != name)


def _text(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
