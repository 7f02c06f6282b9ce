"""`seal:` in confbus.yaml: which sections are sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.sealed_keys import sealed_key

if TYPE_CHECKING:
    from confbus_publisher.entry import Entry

KEYS = "CONFBUS_KEYS"
"""The variable that names the keyring where confbus.yaml does not."""
DEFAULT_KEYS = ".confbus/keys"


def read_seal(entry: Entry) -> tuple[str, ...]:
    """The top-level keys under `seal`. Raises `InvalidSettings` with the line for whatever is none."""
    names = entry.texts("seal") if "seal" in entry else []
    found = (sealed_key(name, origin=entry.place("seal", index=index)) for index, name in enumerate(names))
    return tuple(dict.fromkeys(found))
